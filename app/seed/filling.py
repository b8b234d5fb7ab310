"""Fills a database with made-up households; what is there already stays as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain import households
from app.domain.households import Household
from app.domain.money import round_to_currency
from app.domain.months import added, month_of, named
from app.domain.notifications import DELIVERED_WITHIN, State, budget_exceeded
from app.storage import Budget, Database, Goal, Notification, Purchase, Transaction, User
from app.storage.analytics import exceeded, refresh
from app.storage.models import Base
from app.storage.upsert import insert

ROWS = 500
"""Rows of one INSERT: PostgreSQL allows 32,767 parameters, a transaction has ten."""

TOGETHER = 10
"""Households in one transaction: what waits for a disk waits a tenth as often."""

PREMIUM = 4
"""Every fourth household has bought something."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many rows belong to the data, those of an earlier run included."""

    users: int
    transactions: int
    budgets: int
    goals: int
    purchases: int


async def fill(
    database: Database, *, users: int, months: int, seed: int, now: datetime, password_hash: str = ""
) -> Filled:
    """Fill a database, a few households a transaction.

    Args:
        database: migrated.
        users: how many, at least 1.
        months: how many of the past, this one included, at least 1.
        seed: the same one gives the same data.
        now: nothing is spent later.
        password_hash: of every user; empty lets nobody in by password.
    """
    total = [0, 0, 0, 0, 0]
    for begin in range(1, users + 1, TOGETHER):
        async with database.session() as session:
            for number in range(begin, min(begin + TOGETHER, users + 1)):
                who = households.household(seed, number)
                counts = await _household(session, who, months, now, password_hash)
                total = [sum(pair) for pair in zip(total, counts, strict=True)]
            await session.commit()
    return Filled(*total)


async def _household(
    session: AsyncSession, who: Household, months: int, now: datetime, password_hash: str
) -> Sequence[int]:
    today = now.date()
    this = month_of(today)
    past = [added(this, -number) for number in reversed(range(months))]
    rows: dict[type[Base], list[dict[str, Any]]] = {
        User: [_user(who, past[0], password_hash)],
        Transaction: list(_transactions(who, past, today)),
        Budget: list(_budgets(who, past)),
        Goal: list(_goals(who, past[0], this)),
        Purchase: list(_purchases(who, past, today)),
    }
    for table, each in rows.items():
        await _put(session, table, each)
    await refresh(session, who.id, None, now, now)
    await _told(session, who, now)
    return [len(each) for each in rows.values()]


async def _put(session: AsyncSession, table: type[Base], rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), ROWS):
        await session.execute(insert(session, table).values(rows[begin : begin + ROWS]).on_conflict_do_nothing())


def _user(who: Household, since: date, password_hash: str) -> dict[str, Any]:
    return {
        "id": who.id,
        "email": who.email,
        "password_hash": password_hash,
        "name": who.name,
        "currency": who.currency,
        "notify_by": "push",
        "created_at": datetime.combine(since, time(9), UTC),
    }


def _transactions(who: Household, months: Sequence[date], today: date) -> Iterator[dict[str, Any]]:
    for month in months:
        for expense in households.expenses(who, month):
            if expense.day <= today:
                yield {
                    "id": expense.id,
                    "user_id": who.id,
                    "amount": expense.amount,
                    "currency": expense.currency,
                    "home_amount": expense.home_amount,
                    "home_currency": who.currency,
                    "category": expense.category.value,
                    "description": expense.description,
                    "occurred_on": expense.day,
                    "created_at": datetime.combine(expense.day, time(18), UTC),
                }


def _budgets(who: Household, months: Sequence[date]) -> Iterator[dict[str, Any]]:
    for month in months:
        for category, limit in households.budgets(who).items():
            yield {"user_id": who.id, "month": month, "category": category.value, "limit": limit}


def _goals(who: Household, since: date, this: date) -> Iterator[dict[str, Any]]:
    made = datetime.combine(since, time(20), UTC)
    for number, (goal_id, name, target, saved) in enumerate(households.goals(who), start=1):
        yield {
            "id": goal_id,
            "user_id": who.id,
            "name": name,
            "currency": who.currency,
            "target": target,
            "saved": saved,
            "due_on": added(this, 2 * number),
            "reached_at": made + timedelta(days=20) if saved >= target else None,
            "created_at": made + timedelta(seconds=number),
        }


def _purchases(who: Household, months: Sequence[date], today: date) -> Iterator[dict[str, Any]]:
    from_store = {"store": "app_store", "product": "premium.month", "amount_usd": households.PREMIUM_USD}
    for month in months if who.number % PREMIUM == 0 else ():
        if month.replace(day=5) <= today:
            what = f"premium:{named(month)}"
            yield {
                "id": households.made_up_id(who, what),
                "user_id": who.id,
                "store_transaction_id": f"seed-{who.seed}-{who.number}-{named(month)}",
                "created_at": datetime.combine(month.replace(day=5), time(7), UTC),
                **from_store,
            }


async def _told(session: AsyncSession, who: Household, now: datetime) -> None:
    """Keep, as delivered, what users were told of budgets that are spent."""
    for budget, spent in await exceeded(session, who.id, date.min):
        total, limit = round_to_currency(spent, who.currency), round_to_currency(budget.limit, who.currency)
        message = budget_exceeded(named(budget.month), budget.category, total, limit, who.currency)
        told_at = min(now, datetime.combine(budget.month.replace(day=28), time(18), UTC))
        row = {
            "id": households.made_up_id(who, message.key),
            "user_id": who.id,
            "kind": message.kind.value,
            "key": message.key,
            "title": message.title,
            "text": message.text,
            "state": State.DELIVERED.value,
            "deadline": told_at + DELIVERED_WITHIN,
            "created_at": told_at,
            "due_at": None,
            "delivered_at": told_at + timedelta(seconds=2),
            "attempts": 1,
            "traceparent": None,
        }
        await _put(session, Notification, [row])
