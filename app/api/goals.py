"""Goals: what a user saves for, and how far they are."""

import logging
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Select, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.inputs import EARLIEST, Text
from app.api.pages import PAGE, Cursor, Limit, Order, next_cursor
from app.domain import goals as domain
from app.domain import notifications
from app.domain.money import MAXIMUM, Amount, round_to_currency, whole_coins
from app.errors import ApiError, invalid, not_found
from app.security import Caller
from app.services import Services
from app.storage import Goal, User
from app.storage.notifications import notify
from mita_otel.metrics import business
from mita_otel.traces import current_traceparent

router = APIRouter(prefix="/goals", tags=["goals"])
logger = logging.getLogger(__name__)

MOST_GOALS = 100
"""Of a user: more are not goals but a mistake. Two requests at once may get past it by one."""

LATEST = date(2099, 12, 31)
"""Nobody saves for longer."""

Name = Annotated[Text, Field(min_length=1, max_length=100)]
DueOn = Annotated[date, Field(ge=EARLIEST, le=LATEST)]


class NewGoal(BaseModel):
    """What to save for, in the user's own currency."""

    name: Name
    target: Amount
    due_on: DueOn | None = None


class GoalChange(BaseModel):
    """What may be changed afterwards; what is left out stays."""

    name: Name | None = None
    target: Amount | None = None
    due_on: DueOn | None = None


class Contribution(BaseModel):
    """What is put aside; of several at once, all count."""

    amount: Amount


class GoalView(BaseModel):
    """A goal as its owner sees it; amounts are decimal strings, `monthly` is what each month must bring."""

    id: UUID
    name: str
    currency: str
    target: Decimal
    saved: Decimal
    remaining: Decimal
    percent: Decimal
    monthly: Decimal | None
    due_on: date | None
    reached_at: datetime | None

    @classmethod
    def of(cls, goal: Goal, today: date) -> "GoalView":
        """Return the view of a stored goal on some day."""
        return cls(
            id=goal.id,
            name=goal.name,
            currency=goal.currency,
            target=round_to_currency(goal.target, goal.currency),
            saved=round_to_currency(goal.saved, goal.currency),
            remaining=round_to_currency(domain.remaining(goal.saved, goal.target), goal.currency),
            percent=domain.percent(goal.saved, goal.target),
            monthly=domain.monthly(goal.saved, goal.target, goal.currency, today, goal.due_on),
            due_on=goal.due_on,
            reached_at=goal.reached_at,
        )


class GoalPage(BaseModel):
    """A page of goals, newest first."""

    items: list[GoalView]
    next_cursor: str | None


@router.post("", status_code=201)
async def create_goal(new: NewGoal, caller: CallerNeeded, held: ServicesNeeded) -> GoalView:
    """Begin to save for something."""
    goal = Goal(
        user_id=caller.user_id,
        name=new.name,
        currency=caller.currency,
        target=_coins(new.target, caller.currency),
        due_on=new.due_on,
        created_at=held.now(),
    )
    async with held.database.session() as session:
        if (await session.scalar(select(func.count()).where(Goal.user_id == caller.user_id)) or 0) >= MOST_GOALS:
            raise ApiError(409, "TOO_MANY_GOALS", f"a user may have {MOST_GOALS} goals")
        session.add(goal)
        await session.commit()
    business.goal("created")
    logger.info("goal created", extra={"dated": new.due_on is not None})
    return GoalView.of(goal, held.now().date())


@router.get("")
async def list_goals(
    caller: CallerNeeded, held: ServicesNeeded, cursor: Cursor = None, limit: Limit = PAGE
) -> GoalPage:
    """Return a page of the caller's goals."""
    wanted = Order(Goal.created_at, Goal.id).page(select(Goal).where(Goal.user_id == caller.user_id), cursor, limit)
    async with held.database.session() as session:
        found = (await session.scalars(wanted)).all()
    today = held.now().date()
    return GoalPage(items=[GoalView.of(goal, today) for goal in found[:limit]], next_cursor=next_cursor(found, limit))


@router.get("/{goal_id}")
async def read_goal(goal_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> GoalView:
    """Return one of the caller's goals."""
    async with held.database.session() as session:
        goal = await session.scalar(_own(goal_id, caller))
    if goal is None:
        raise not_found("goal")
    return GoalView.of(goal, held.now().date())


@router.patch("/{goal_id}")
async def change_goal(goal_id: UUID, change: GoalChange, caller: CallerNeeded, held: ServicesNeeded) -> GoalView:
    """Change one of the caller's goals; a target that is raised may be reached again."""
    values = change.model_dump(exclude_none=True)
    if change.target is not None:
        values["target"] = _coins(change.target, caller.currency)
        values["reached_at"] = case((Goal.saved >= values["target"], func.coalesce(Goal.reached_at, held.now())))
    async with held.database.session() as session:
        own = (Goal.id == goal_id) & (Goal.user_id == caller.user_id)
        statement = update(Goal).where(own).values(values).returning(Goal) if values else select(Goal).where(own)
        goal = await session.scalar(statement)
        if goal is None:
            raise not_found("goal")
        told = await _tell_if_reached(held, session, goal)
        await session.commit()
    _told(held, told=told)
    logger.info("goal changed")
    return GoalView.of(goal, held.now().date())


@router.post("/{goal_id}/contributions")
async def contribute(goal_id: UUID, contribution: Contribution, caller: CallerNeeded, held: ServicesNeeded) -> GoalView:
    """Put something aside for a goal; it is added where it is stored, so that of several at once none is lost."""
    amount = _coins(contribution.amount, caller.currency)
    own = (Goal.id == goal_id) & (Goal.user_id == caller.user_id)
    saved = Goal.saved + amount
    added = (
        update(Goal)
        .where(own, saved <= MAXIMUM)
        .values(saved=saved, reached_at=case((saved >= Goal.target, func.coalesce(Goal.reached_at, held.now()))))
        .returning(Goal)
    )
    async with held.database.session() as session:
        goal = await session.scalar(added)
        if goal is None:
            known = await session.scalar(select(Goal.id).where(own))
            raise _too_much() if known else not_found("goal")
        told = await _tell_if_reached(held, session, goal)
        await session.commit()
    _told(held, told=told)
    logger.info("goal contribution", extra={"reached": goal.reached_at is not None})
    return GoalView.of(goal, held.now().date())


@router.delete("/{goal_id}", status_code=204)
async def delete_goal(goal_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Give up one of the caller's goals."""
    async with held.database.session() as session:
        own = delete(Goal).where(Goal.id == goal_id, Goal.user_id == caller.user_id)
        gone = await session.scalar(own.returning(Goal.id))
        await session.commit()
    if gone is None:
        raise not_found("goal")
    business.goal("deleted")
    logger.info("goal deleted")


async def _tell_if_reached(held: Services, session: AsyncSession, goal: Goal) -> bool:
    """Keep a message about a goal that is reached, in the transaction that reached it; False if there is none new."""
    if goal.reached_at is None:
        return False
    user = await session.get(User, goal.user_id)
    if user is None:
        return False
    target = round_to_currency(goal.target, goal.currency)
    message = notifications.goal_reached(goal.id, goal.name, target, goal.currency)
    traceparent = current_traceparent()
    return await notify(session, user.id, user.notify_by, message, held.now(), traceparent=traceparent)


def _told(held: Services, *, told: bool) -> None:
    if told:
        held.bells.notifications.ring()
        business.goal("reached")
        logger.info("goal reached")


def _coins(amount: Decimal, currency: str) -> Decimal:
    try:
        return whole_coins(amount, currency)
    except ValueError as error:
        raise invalid(error) from error


def _too_much() -> ApiError:
    return ApiError(409, "GOAL_OUT_OF_BOUNDS", f"no more than {MAXIMUM} can be saved for a goal")


def _own(goal_id: UUID, caller: Caller) -> Select[Goal]:
    return select(Goal).where(Goal.id == goal_id, Goal.user_id == caller.user_id)
