"""Insights: what a language model makes of a month's spending."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.budgets import MonthAsked, asked_month
from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.domain.insights import Insight, InsightKind, plain
from app.domain.months import named
from app.errors import ApiError
from app.storage import spending
from mita_otel.degradation import Mode

router = APIRouter(prefix="/insights", tags=["insights"])


class Less(BaseModel):
    """What the user is told of remarks that are not all they could be."""

    mode: Literal["cached", "generic"]
    age_seconds: float | None = None


class InsightsView(BaseModel):
    """Remarks about a month."""

    month: str
    insights: list[Insight]
    degraded: Less | None = None


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
    served = await held.ai_insights.serve(
        lambda: held.insights.of(kind, spent, caller.currency),
        key=f"{caller.user_id}:{named(day)}:{kind.value}",
        generic=lambda: plain(kind, spent, caller.currency),
        failures=(ApiError,),
    )
    less = None if served.mode is Mode.FULL else Less.model_validate({"mode": served.mode, "age_seconds": served.age})
    return InsightsView(month=named(day), insights=served.value, degraded=less)
