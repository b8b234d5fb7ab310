"""Work kept in tables: a worker claims rows for a while, and rows whose worker is gone come due again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.models import Claimable

LEASE = timedelta(seconds=30)
"""How long a claim holds: longer than a batch of calls that all end at their deadline of 5 s."""

LONGEST_WAIT = timedelta(minutes=10)
"""Nothing is put off for longer. What is due later than this was put off before the clock was set back."""

Row = TypeVar("Row", bound=Claimable)


async def claim(
    session: AsyncSession, table: type[Row], now: datetime, limit: int, *where: ColumnElement[bool]
) -> Sequence[Row]:
    """Take on the rows that have been due the longest, and commit; return them in the order they were made in.

    Of several workers each gets rows of its own: on PostgreSQL they skip what another is just claiming, on SQLite there
    is one writer at a time.

    Args:
        session: one in which nothing has happened yet.
        table: where the work is.
        now: the time.
        limit: rows, at least 1.
        where: which of them.
    """
    due = (
        select(table.id)
        .where(*where, or_(table.due_at <= now, table.due_at > now + LONGEST_WAIT))
        .order_by(table.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = (
        update(table)
        .where(table.id.in_(select(due.c.id)))
        .values(due_at=now + LEASE, attempts=table.attempts + 1)
        .returning(table)
    )
    rows = (await session.scalars(claimed)).all()
    await session.commit()
    return sorted(rows, key=lambda row: row.created_at)


def still_mine(table: type[Row], row: Row) -> ColumnElement[bool]:
    """Return the condition that nobody has claimed the row since."""
    return (table.id == row.id) & (table.attempts == row.attempts)


async def next_due(session: AsyncSession, table: type[Row], *where: ColumnElement[bool]) -> datetime | None:
    """Return when the next row comes due, None if none does."""
    due: datetime | None = await session.scalar(select(func.min(table.due_at)).where(*where))
    return due
