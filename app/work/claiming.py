"""How workers come by their work: looking for it leaves no trace, doing it does."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, update

from app.services import Services
from app.storage.models import Claimable
from app.storage.queue import claim, next_due, still_mine
from mita_otel.traces import unobserved

SHORTEST_PAUSE = 0.2
"""Seconds: what is due but just being claimed elsewhere is not asked for without end."""

Row = TypeVar("Row", bound=Claimable)
Handle = Callable[[Services, Sequence[Row]], Awaitable[None]]


async def work_off(
    held: Services, table: type[Row], batch: int, handle: Handle[Row], *where: ColumnElement[bool]
) -> float:
    """Claim what is due, at most `batch` rows, and handle it; return how many seconds later to come back."""
    with unobserved():
        async with held.database.session() as session:
            rows = await claim(session, table, held.now(), batch, *where)
    if rows:
        await handle(held, rows)
    if len(rows) == batch:
        return 0.0
    with unobserved():
        async with held.database.session() as session:
            due = await next_due(session, table, *where)
    return float("inf") if due is None else max((due - held.now()).total_seconds(), SHORTEST_PAUSE)


async def give_up(held: Services, table: type[Row], row: Row) -> None:
    """Leave a row where it is, for somebody to look at; no worker takes it on again."""
    async with held.database.session() as session:
        await session.execute(update(table).where(still_mine(table, row)).values(due_at=None))
        await session.commit()


def lag(created: timedelta) -> float:
    """Return a lag in seconds with three decimal places, at least 0 whatever the clock did."""
    return round(max(created.total_seconds(), 0.0), 3)
