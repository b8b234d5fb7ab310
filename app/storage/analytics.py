"""Monthly totals: added up from the transactions, and how fresh they are."""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.analytics import next_refresh
from app.storage import spending
from app.storage.models import Analytics, Budget, Job, MonthlyTotal
from app.storage.upsert import insert

SPENDING_CHANGED = "spending_changed"
"""The kind of job that tells of months whose transactions have changed, and of users whose totals are stale."""


async def refresh(
    session: AsyncSession, user_id: UUID, months: Collection[date] | None, now: datetime, used_at: datetime
) -> None:
    """Add up a user's months anew, all of them with None; the caller commits.

    The user's row is written first and stays locked until then: what two workers add up at once is not mixed, and the
    later one sees what the earlier one saw or more.

    Args:
        session: left to the caller to commit.
        user_id: whose months they are.
        months: their first days.
        now: the time.
        used_at: when the user last changed or asked for something.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such user.
    """
    fresh = {"as_of": now, "used_at": used_at, "due_at": next_refresh(used_at, now), "attempts": 0}
    new = insert(session, Analytics).values(id=uuid4(), user_id=user_id, created_at=now, **fresh)
    await session.execute(new.on_conflict_do_update(index_elements=[Analytics.user_id], set_=fresh))
    totals = await spending.by_month(session, user_id, months)
    old = delete(MonthlyTotal).where(MonthlyTotal.user_id == user_id)
    await session.execute(old if months is None else old.where(MonthlyTotal.month.in_(months)))
    if totals:
        await session.execute(
            plain_insert(MonthlyTotal),
            [
                {"user_id": user_id, "month": month, "category": category, "total": total, "transactions": count}
                for (month, category), (total, count) in totals.items()
            ],
        )


async def totals_since(session: AsyncSession, user_id: UUID, first: date) -> list[MonthlyTotal]:
    """Return a user's totals from a month on, newest month first."""
    wanted = (
        select(MonthlyTotal)
        .where(MonthlyTotal.user_id == user_id, MonthlyTotal.month >= first)
        .order_by(MonthlyTotal.month.desc(), MonthlyTotal.category)
    )
    return list((await session.scalars(wanted)).all())


async def changes_waiting(session: AsyncSession, user_id: UUID) -> bool:
    """Say whether something has changed that the totals do not contain."""
    jobs = select(func.count()).select_from(Job).where(Job.user_id == user_id, Job.kind == SPENDING_CHANGED)
    return bool(await session.scalar(jobs))


def spending_changed(user_id: UUID, months: Collection[date] | None, now: datetime, *, traceparent: str | None) -> Job:
    """Return the job to add a user's months up again, all of them with None; stored with the change that causes it."""
    payload = {} if months is None else {"months": [month.isoformat() for month in sorted(months)]}
    return Job(
        kind=SPENDING_CHANGED, user_id=user_id, payload=payload, created_at=now, due_at=now, traceparent=traceparent
    )


async def exceeded(session: AsyncSession, user_id: UUID, since: date) -> list[tuple[Budget, Decimal]]:
    """Return the budgets that are spent, from a month on, and what was spent; as of the monthly totals."""
    wanted = (
        select(Budget, MonthlyTotal.total)
        .join(
            MonthlyTotal,
            (MonthlyTotal.user_id == Budget.user_id)
            & (MonthlyTotal.month == Budget.month)
            & (MonthlyTotal.category == Budget.category),
        )
        .where(Budget.user_id == user_id, Budget.month >= since, MonthlyTotal.total > Budget.limit)
    )
    return [(budget, total) for budget, total in (await session.execute(wanted)).all()]


async def latest_cause(session: AsyncSession, user_id: UUID) -> str | None:
    """Return the `traceparent` of a user's newest change whose job is not done; None if it was not traced.

    It is in the totals already, even where its job waits for a worker.
    """
    newest = (
        select(Job.traceparent)
        .where(Job.user_id == user_id, Job.kind == SPENDING_CHANGED)
        .order_by(Job.created_at.desc())
        .limit(1)
    )
    traceparent: str | None = await session.scalar(newest)
    return traceparent
