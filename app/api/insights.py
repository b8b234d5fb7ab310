"""Insights: what a language model makes of a month's spending."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.budgets import MonthAsked, asked_month
from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.domain.insights import Insight, InsightKind
from app.domain.months import named
from app.storage import spending

router = APIRouter(prefix="/insights", tags=["insights"])


class InsightsView(BaseModel):
    """Remarks about a month."""

    month: str
    insights: list[Insight]


@router.get("")
async def read_insights(
    caller: CallerNeeded,
    held: ServicesNeeded,
    month: MonthAsked = None,
    kind: InsightKind = InsightKind.SPENDING_PATTERN,
) -> InsightsView:
    """Return remarks of one kind about a month's spending, this one by default."""
    day = asked_month(held, month)
    async with held.database.session() as session:
        spent = await spending.by_category(session, caller.user_id, day, caller.currency)
    # No connection is held while the model thinks.
    found = await held.insights.of(kind, spent, caller.currency)
    return InsightsView(month=named(day), insights=found)
