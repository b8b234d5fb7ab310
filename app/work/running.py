"""The workers of one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from app.services import Services
from app.work import analytics, housekeeping, notifications, password_reset, presence, spending
from app.work.bells import Bell
from app.work.worker import Worker

ROUNDS = 15.0
"""Seconds between two counts of who is there: as often as metrics are exported."""


@asynccontextmanager
async def running(held: Services) -> AsyncIterator[None]:
    """Work in the background while the block runs; at its end rounds under way are finished, for at most 5 s."""
    bells, seconds = held.bells, held.settings.background_seconds
    workers = (
        Worker("spending", partial(spending.work, held), bells.spending, seconds),
        Worker("notifications", partial(notifications.work, held), bells.notifications, seconds),
        Worker("mail", partial(password_reset.work, held), bells.mail, seconds),
        Worker("analytics", partial(analytics.work, held), bells.analytics, seconds),
        Worker("presence", partial(presence.work, held), Bell(), min(seconds, ROUNDS)),
        Worker("housekeeping", partial(housekeeping.work, held), bells.housekeeping, housekeeping.EVERY, delay=60.0),
    )
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            await worker.stopped()
