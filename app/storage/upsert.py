"""The statements that PostgreSQL and SQLite spell alike and SQLAlchemy keeps in two places."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.models import Base, Budget


def insert(session: AsyncSession, table: type[Base]) -> postgresql.Insert:
    """Return an INSERT that can say what happens on a conflict."""
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    made: postgresql.Insert = dialect.insert(table)
    return made


async def set_limit(session: AsyncSession, user_id: UUID, month: date, category: str, limit: Decimal) -> None:
    """Set a budget's limit in one statement, so that two requests at once do not collide.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such user.
    """
    new = insert(session, Budget).values(user_id=user_id, month=month, category=category, limit=limit)
    key = [Budget.user_id, Budget.month, Budget.category]
    await session.execute(new.on_conflict_do_update(index_elements=key, set_={"limit": new.excluded.limit}))


async def raise_limit(
    session: AsyncSession, user_id: UUID, month: date, category: str, *, by: Decimal, largest: Decimal
) -> Decimal | None:
    """Add to a budget's limit where it is stored, so that of changes at once none is lost.

    Args:
        session: left to the caller to commit.
        user_id: whose budget it is.
        month: first day.
        category: of the budget.
        by: what is added; taken away if below zero.
        largest: the limit stays above zero and at most this.

    Returns:
        The new limit; None if there is no such budget or the limit would leave its bounds.
    """
    changed = (
        update(Budget)
        .where(Budget.user_id == user_id, Budget.month == month, Budget.category == category)
        .where(Budget.limit + by > Decimal(0), Budget.limit + by <= largest)
        .values(limit=Budget.limit + by)
        .returning(Budget.limit)
    )
    limit: Decimal | None = await session.scalar(changed)
    return limit
