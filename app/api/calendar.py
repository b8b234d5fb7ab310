"""The calendar: a month day by day, with what was spent and which goals are due."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from app.api.budgets import MonthAsked, asked_month
from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.domain.calendar import DueGoal, view
from app.domain.money import round_to_currency
from app.domain.months import following, named
from app.security import Caller
from app.services import Services
from app.storage import Goal, spending
from mita_otel.metrics import business

router = APIRouter(prefix="/calendar", tags=["calendar"])


class GoalDue(BaseModel):
    """A goal whose day this is."""

    id: UUID
    name: str


class DayView(BaseModel):
    """A day; the amount is a decimal string."""

    day: date
    spent: Decimal
    transactions: int
    goals_due: list[GoalDue]


class MonthView(BaseModel):
    """A month, every day of it."""

    month: str
    currency: str
    spent: Decimal
    days: list[DayView]


@router.get("")
async def read_calendar(caller: CallerNeeded, held: ServicesNeeded, month: MonthAsked = None) -> MonthView:
    """Return a month day by day, this one by default."""
    with business.calendar_view():
        return await _view(held, caller, month)


async def _view(held: Services, caller: Caller, month: str | None) -> MonthView:
    first = asked_month(held, month)
    due = (
        select(Goal.id, Goal.name, Goal.due_on)
        .where(Goal.user_id == caller.user_id, Goal.due_on >= first, Goal.due_on < following(first))
        .order_by(Goal.due_on, Goal.name)
    )
    async with held.database.session() as session:
        spent = await spending.by_day(session, caller.user_id, first)
        goals = [DueGoal(goal_id, name, day) for goal_id, name, day in (await session.execute(due)).all() if day]
    days = view(first, spent, goals)
    return MonthView(
        month=named(first),
        currency=caller.currency,
        spent=round_to_currency(sum((day.spent for day in days), Decimal(0)), caller.currency),
        days=[
            DayView(
                day=day.day,
                spent=round_to_currency(day.spent, caller.currency),
                transactions=day.transactions,
                goals_due=[GoalDue(id=goal.id, name=goal.name) for goal in day.goals],
            )
            for day in days
        ],
    )
