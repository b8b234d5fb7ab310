"""Insights: what an external service makes of a month's spending."""

import logging
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.api.budgets import Month, first_day, spending
from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.clients.insights import Insight

router = APIRouter(prefix="/insights", tags=["insights"])
logger = logging.getLogger(__name__)


class InsightsView(BaseModel):
    """Remarks about a month."""

    month: str
    insights: list[Insight]


@router.get("")
async def read_insights(
    caller: CallerNeeded, held: ServicesNeeded, month: Annotated[Month | None, Query()] = None
) -> InsightsView:
    """Return remarks about a month's spending, this one by default."""
    day = first_day(month)
    async with held.database.session() as session:
        spent = await spending(session, caller, day)
    found = await held.insights.of(spent, caller.currency)
    logger.info("insights generated", extra={"insights": len(found)})
    return InsightsView(month=f"{day:%Y-%m}", insights=found)
