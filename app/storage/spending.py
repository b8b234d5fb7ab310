"""Sums of what a user spent, in their own currency."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import extract, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.money import round_to_currency
from app.domain.months import following
from app.storage.models import Budget, Transaction


async def by_category(session: AsyncSession, user_id: UUID, month: date, currency: str) -> dict[str, Decimal]:
    """Return what was spent in a month by category."""
    wanted = (
        select(Transaction.category, func.sum(Transaction.home_amount))
        .where(
            Transaction.user_id == user_id,
            Transaction.occurred_on >= month,
            Transaction.occurred_on < following(month),
        )
        .group_by(Transaction.category)
    )
    rows = (await session.execute(wanted)).all()
    return {category: round_to_currency(amount, currency) for category, amount in rows}


async def by_day(session: AsyncSession, user_id: UUID, month: date) -> dict[date, tuple[Decimal, int]]:
    """Return what was spent on each day of a month, and how many transactions that were; days without are left out."""
    wanted = (
        select(Transaction.occurred_on, func.sum(Transaction.home_amount), func.count())
        .where(
            Transaction.user_id == user_id,
            Transaction.occurred_on >= month,
            Transaction.occurred_on < following(month),
        )
        .group_by(Transaction.occurred_on)
    )
    return {day: (amount, count) for day, amount, count in (await session.execute(wanted)).all()}


async def by_month(
    session: AsyncSession, user_id: UUID, months: Collection[date] | None
) -> dict[tuple[date, str], tuple[Decimal, int]]:
    """Return sum and number of transactions by month and category, of some months or of all."""
    year, month = extract("year", Transaction.occurred_on), extract("month", Transaction.occurred_on)
    wanted = (
        select(year, month, Transaction.category, func.sum(Transaction.home_amount), func.count())
        .where(Transaction.user_id == user_id)
        .group_by(year, month, Transaction.category)
    )
    if months is not None:
        # One range for the index; the months in between are left out below.
        wanted = wanted.where(Transaction.occurred_on >= min(months), Transaction.occurred_on < following(max(months)))
    rows = (await session.execute(wanted)).all()
    found = {
        (date(int(year), int(month), 1), category): (amount, count) for year, month, category, amount, count in rows
    }
    return {key: value for key, value in found.items() if months is None or key[0] in months}


async def limits(session: AsyncSession, user_id: UUID, month: date) -> dict[str, Decimal]:
    """Return a month's budgets by category."""
    wanted = select(Budget.category, Budget.limit).where(Budget.user_id == user_id, Budget.month == month)
    return {category: limit for category, limit in (await session.execute(wanted)).all()}  # noqa: C416 - rows are no pairs to dict's type
