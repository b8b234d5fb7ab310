"""Budgets: what a month may cost, and what it has cost so far."""

import json
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.domain import budgets as domain
from app.domain.categories import Category
from app.domain.money import Amount, round_to_currency, whole_coins
from app.errors import ApiError, invalid
from app.security import Caller
from app.storage import Budget, Transaction
from app.storage.upsert import set_limit

router = APIRouter(prefix="/budgets", tags=["budgets"])
logger = logging.getLogger(__name__)

CACHED_SECONDS = 60
"""Also how long a dashboard may lag that was computed while a transaction was being stored."""

Month = Annotated[str, StringConstraints(pattern=r"^(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])$")]


class NewBudget(BaseModel):
    """What a category may cost in a month."""

    month: Month
    category: Category
    limit: Amount


class LineView(BaseModel):
    """One category of the dashboard; amounts are decimal strings."""

    category: str
    limit: Decimal
    spent: Decimal
    remaining: Decimal
    used_percent: Decimal | None


class Dashboard(BaseModel):
    """A month at a glance."""

    month: str
    currency: str
    lines: list[LineView] = Field(default_factory=list)


def first_day(month: str | None) -> date:
    """Return the first day of a month given as 2026-11; of the current one without it."""
    if month is None:
        return datetime.now(UTC).date().replace(day=1)
    return date.fromisoformat(f"{month}-01")


async def spending(session: AsyncSession, caller: Caller, month: date) -> dict[str, Decimal]:
    """Return what was spent in a month by category, in the user's own currency."""
    following = (month.replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)
    wanted = (
        select(Transaction.category, func.sum(Transaction.home_amount))
        .where(
            Transaction.user_id == caller.user_id,
            Transaction.occurred_on >= month,
            Transaction.occurred_on < following,
        )
        .group_by(Transaction.category)
    )
    rows = (await session.execute(wanted)).all()
    return {category: round_to_currency(amount, caller.currency) for category, amount in rows}


@router.put("", status_code=204)
async def set_budget(new: NewBudget, caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Set what a category may cost in a month, anew or again."""
    month = first_day(new.month)
    try:
        limit = whole_coins(new.limit, caller.currency)
    except ValueError as error:
        raise invalid(error) from error
    async with held.database.session() as session:
        try:
            await set_limit(session, caller.user_id, month, new.category.value, limit)
            await session.commit()
        except IntegrityError as error:
            raise ApiError(401, "AUTHENTICATION_REQUIRED", "this user no longer exists") from error
    await held.cache.forget(f"dashboard:{caller.user_id}:{month}")
    logger.info("budget set", extra={"category": new.category.value})


@router.get("/dashboard")
async def read_dashboard(
    caller: CallerNeeded, held: ServicesNeeded, month: Annotated[Month | None, Query()] = None
) -> Dashboard:
    """Return spent and remaining by category for a month, this one by default."""
    day = first_day(month)
    key = f"dashboard:{caller.user_id}:{day}"
    # A cache of this process alone would not hear of what other workers change.
    cached = await held.cache.get(key) if held.cache.shared else None
    if cached is not None:
        return Dashboard.model_validate_json(cached)
    async with held.database.session() as session:
        spent = await spending(session, caller, day)
        wanted = select(Budget.category, Budget.limit).where(Budget.user_id == caller.user_id, Budget.month == day)
        limits = {category: limit for category, limit in (await session.execute(wanted)).all()}  # noqa: C416 - rows are no pairs to dict's type
    lines = [
        LineView(
            category=line.category,
            limit=round_to_currency(line.limit, caller.currency),
            spent=line.spent,
            remaining=round_to_currency(line.remaining, caller.currency),
            used_percent=line.used_percent,
        )
        for line in domain.dashboard(limits, spent)
    ]
    made = Dashboard(month=f"{day:%Y-%m}", currency=caller.currency, lines=lines)
    if held.cache.shared:
        await held.cache.set(key, json.dumps(made.model_dump(mode="json")), CACHED_SECONDS)
    return made
