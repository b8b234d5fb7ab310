"""By the clock: totals in use are added up again before they would be stale."""

import contextlib
import logging
from collections.abc import Sequence

from app.errors import UserGoneError
from app.services import Services
from app.storage import Analytics
from app.storage.analytics import refresh
from app.work.claiming import work_off
from mita_otel.metrics import business
from mita_otel.traces import linked_work

logger = logging.getLogger(__name__)

BATCH = 50
"""Users in a round: a few milliseconds each, well within a claim of 30 s."""


async def work(held: Services) -> float:
    """Add up what is due."""
    return await work_off(held, Analytics, BATCH, _handle)


async def _handle(held: Services, due: Sequence[Analytics]) -> None:
    refreshed = 0
    with linked_work("analytics refresh"):
        for row in due:
            with contextlib.suppress(UserGoneError):
                with business.analytics_refresh():
                    async with held.database.session() as session:
                        await refresh(session, row.user_id, None, held.now(), row.used_at)
                        await session.commit()
                held.presence.refreshed(held.now())
                refreshed += 1
        logger.info("analytics refreshed by the clock", extra={"users": refreshed})
