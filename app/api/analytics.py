"""Analytics: months by category, added up in the background, with how old the sums are."""

import logging
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.domain import analytics as domain
from app.domain.categories import Category
from app.domain.money import round_to_currency
from app.domain.months import added, month_of, named
from app.security import Caller
from app.services import Services
from app.storage import Analytics, MonthlyTotal
from app.storage.analytics import changes_waiting, refresh, spending_changed, totals_since
from mita_otel import slo
from mita_otel.traces import current_traceparent

router = APIRouter(prefix="/analytics", tags=["analytics"])
logger = logging.getLogger(__name__)

MOST_MONTHS = 24
"""Two years fit on a chart; nine categories a month make 216 rows."""


class CategoryTotal(BaseModel):
    """What a month's category cost; the amount is a decimal string, the share is in percent of the month."""

    category: Category
    total: Decimal
    transactions: int
    share_percent: Decimal


class MonthTotal(BaseModel):
    """What a month cost."""

    month: str
    total: Decimal
    transactions: int
    categories: list[CategoryTotal]


class Summary(BaseModel):
    """Months, newest first; `stale` says that the sums may lack the latest changes, and are being added up again."""

    currency: str
    as_of: datetime
    age_seconds: float
    stale: bool
    months: list[MonthTotal]


@router.get("/summary")
async def read_summary(
    caller: CallerNeeded, held: ServicesNeeded, months: Annotated[int, Query(ge=1, le=MOST_MONTHS)] = 6
) -> Summary:
    """Return what the last months cost, this one included."""
    as_of, stale = await _freshness(held, caller)
    now = held.now()
    first = added(month_of(now.date()), 1 - months)
    async with held.database.session() as session:
        totals = await totals_since(session, caller.user_id, first)
    slo.event("analytics", good=domain.age(as_of, now) <= domain.FRESH)
    age = round(domain.age(as_of, now).total_seconds(), 3)
    logger.info("analytics read", extra={"stale": stale, "age_seconds": age})
    views = [_month(name, list(each), caller.currency) for name, each in groupby(totals, lambda t: named(t.month))]
    return Summary(currency=caller.currency, as_of=as_of, age_seconds=age, stale=stale, months=views)


async def _freshness(held: Services, caller: Caller) -> tuple[datetime, bool]:
    """Return when the totals were added up, and whether they are stale; whoever has none gets them now.

    Stale totals are answered as they are, and their refresh is left to the background.
    """
    async with held.database.session() as session:
        as_of = await session.scalar(select(Analytics.as_of).where(Analytics.user_id == caller.user_id))
        if as_of is None:
            now = held.now()
            await refresh(session, caller.user_id, None, now, now)
            await session.commit()
            return now, False
        waiting = await changes_waiting(session, caller.user_id)
        stale = domain.is_stale(as_of, held.now(), changes_waiting=waiting)
        if stale and not waiting:
            session.add(spending_changed(caller.user_id, None, held.now(), traceparent=current_traceparent()))
            await session.commit()
        if stale:
            held.bells.spending.ring()
    return as_of, stale


def _month(name: str, totals: list[MonthlyTotal], currency: str) -> MonthTotal:
    whole = sum((each.total for each in totals), Decimal(0))
    categories = [
        CategoryTotal(
            category=Category(each.category),
            total=round_to_currency(each.total, currency),
            transactions=each.transactions,
            share_percent=domain.share(each.total, whole),
        )
        for each in totals
    ]
    return MonthTotal(
        month=name,
        total=round_to_currency(whole, currency),
        transactions=sum(each.transactions for each in totals),
        categories=categories,
    )
