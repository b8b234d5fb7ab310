"""The statement that PostgreSQL and SQLite spell alike and SQLAlchemy keeps in two places."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.storage.models import Budget


async def set_limit(session: AsyncSession, user_id: UUID, month: date, category: str, limit: Decimal) -> None:
    """Set a budget's limit in one statement, so that two requests at once do not collide.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such user.
    """
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    new = dialect.insert(Budget).values(user_id=user_id, month=month, category=category, limit=limit)
    key = [Budget.user_id, Budget.month, Budget.category]
    await session.execute(new.on_conflict_do_update(index_elements=key, set_={"limit": new.excluded.limit}))
