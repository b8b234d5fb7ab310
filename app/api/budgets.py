"""Budgets: what a month may cost, and what it has cost so far."""

import json
import logging
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.inputs import Month
from app.api.spending import leave_work
from app.domain import budgets as domain
from app.domain.categories import Category
from app.domain.money import MAXIMUM, Amount, not_float, round_to_currency, whole_coins
from app.domain.months import first_day, month_of, named
from app.errors import ApiError, invalid, not_found
from app.security import Caller
from app.services import Services
from app.storage import spending
from app.storage.upsert import raise_limit, set_limit
from mita_otel import slo
from mita_otel.logs import audit
from mita_otel.metrics import business

router = APIRouter(prefix="/budgets", tags=["budgets"])
logger = logging.getLogger(__name__)

CACHED_SECONDS = 60
"""Also how long a dashboard may lag that was computed while a transaction was being stored."""

Change = Annotated[Decimal, BeforeValidator(not_float), Field(ge=-MAXIMUM, le=MAXIMUM, max_digits=17, decimal_places=4)]
"""As an amount, but below zero too."""


class NewBudget(BaseModel):
    """What a category may cost in a month."""

    month: Month
    category: Category
    limit: Amount


class BudgetChange(BaseModel):
    """By how much a budget grows, or shrinks below zero; of several changes at once, all count."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"month": "2026-11", "category": "food", "by": "12.50"}]})

    month: Month
    category: Category
    by: Change


class BudgetView(BaseModel):
    """A budget; its limit is a decimal string."""

    month: str
    category: Category
    limit: Decimal


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


MonthAsked = Annotated[Month | None, Query()]


def asked_month(held: Services, month: str | None) -> date:
    """Return the first day of a month given as 2026-11; of the current one without it."""
    return month_of(held.now().date()) if month is None else first_day(month)


@router.put("", status_code=204)
async def set_budget(new: NewBudget, caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Set what a category may cost in a month, anew or again."""
    month = first_day(new.month)
    try:
        limit = whole_coins(new.limit, caller.currency)
    except ValueError as error:
        raise invalid(error) from error
    async with held.database.session() as session:
        before = (await spending.limits(session, caller.user_id, month)).get(new.category.value)
        await set_limit(session, caller.user_id, month, new.category.value, limit)
        leave_work(held, session, caller, [month])
        await session.commit()
    await _changed(held, caller, month)
    _record(month, new.category, before, limit)
    logger.info("budget set", extra={"category": new.category.value})


@router.post("/changes")
async def change_budget(change: BudgetChange, caller: CallerNeeded, held: ServicesNeeded) -> BudgetView:
    """Add to what a category may cost, or take from it."""
    month = first_day(change.month)
    try:
        by = whole_coins(change.by, caller.currency)
    except ValueError as error:
        raise invalid(error) from error
    async with held.database.session() as session:
        limit = await raise_limit(session, caller.user_id, month, change.category.value, by=by, largest=MAXIMUM)
        if limit is None:
            known = change.category.value in await spending.limits(session, caller.user_id, month)
            raise _out_of_bounds() if known else not_found("budget")
        leave_work(held, session, caller, [month])
        await session.commit()
    await _changed(held, caller, month)
    _record(month, change.category, limit - by, limit)
    logger.info("budget changed", extra={"category": change.category.value})
    return BudgetView(month=change.month, category=change.category, limit=round_to_currency(limit, caller.currency))


def _record(month: date, category: Category, before: Decimal | None, after: Decimal) -> None:
    was = None if before is None else {"limit": before}
    affected = ("budget", f"{named(month)} {category.value}")
    audit.modification("budget.changed", before=was, after={"limit": after}, resource=affected)


def _out_of_bounds() -> ApiError:
    return ApiError(409, "BUDGET_OUT_OF_BOUNDS", f"a budget must stay above zero and at most {MAXIMUM}")


async def _changed(held: Services, caller: Caller, month: date) -> None:
    held.bells.spending.ring()
    await held.cache.forget(f"dashboard:{caller.user_id}:{month}")


@router.get("/dashboard")
async def read_dashboard(caller: CallerNeeded, held: ServicesNeeded, month: MonthAsked = None) -> Dashboard:
    """Return spent and remaining by category for a month, this one by default."""
    day = asked_month(held, month)
    key = f"dashboard:{caller.user_id}:{day}"
    # A cache of this process alone would not hear of what other workers change.
    cached = await held.cache.get(key) if held.cache.shared else None
    if cached is not None:
        return Dashboard.model_validate_json(cached)
    with slo.outcome_of("budgets"), business.budget_calculation():
        made = await _calculated(held, caller, day)
    if held.cache.shared:
        await held.cache.set(key, json.dumps(made.model_dump(mode="json")), CACHED_SECONDS)
    return made


async def _calculated(held: Services, caller: Caller, day: date) -> Dashboard:
    async with held.database.session() as session:
        spent = await spending.by_category(session, caller.user_id, day, caller.currency)
        limits = await spending.limits(session, caller.user_id, day)
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
    return Dashboard(month=named(day), currency=caller.currency, lines=lines)
