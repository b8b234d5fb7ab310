"""After spending has changed: months are added up again, and budgets that are spent are told of."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain import notifications
from app.domain.money import round_to_currency
from app.domain.months import month_of, named
from app.errors import UserGoneError
from app.services import Services
from app.storage import Job, User
from app.storage.analytics import SPENDING_CHANGED, exceeded, latest_cause, refresh
from app.storage.committed import once_committed
from app.storage.notifications import notify
from app.storage.queue import still_mine
from app.work.claiming import give_up, lag, work_off
from mita_otel.metrics import business
from mita_otel.traces import linked_work

logger = logging.getLogger(__name__)

BATCH = 50
"""Changes: of many users, or all of one who imports their expenses; the claim of a batch holds for 30 s."""

MOST_ATTEMPTS = 20
"""Ten minutes of failures, outages of the database not counted: then it is our fault, and stays for us to look at."""


async def work(held: Services) -> float:
    """Catch up with what is due."""
    return await work_off(held, Job, BATCH, _handle, Job.kind == SPENDING_CHANGED)


async def _handle(held: Services, jobs: Sequence[Job]) -> None:
    by_user: dict[UUID, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.user_id is not None:
            by_user[job.user_id].append(job)
    for user_id, theirs in by_user.items():
        try:
            with linked_work("spending changed", *(job.traceparent for job in theirs)):
                await _catch_up(held, user_id, theirs)
        except UserGoneError:
            pass  # and their jobs with them
        except Exception:
            # One user's trouble must not keep the others waiting; these jobs come due again when their claim ends.
            logger.exception("analytics refresh failed", extra={"changes": len(theirs)})
            for job in theirs:
                if job.attempts >= MOST_ATTEMPTS:
                    await give_up(held, Job, job)


async def _catch_up(held: Services, user_id: UUID, jobs: Sequence[Job]) -> None:
    now, months = held.now(), _months(jobs)
    with business.analytics_refresh():
        async with held.database.session() as session:
            await refresh(session, user_id, months, now, now)
            told = await _tell(held, session, user_id)
            await session.execute(delete(Job).where(or_(*(still_mine(Job, job) for job in jobs))))
            await session.commit()
    held.presence.refreshed(now)
    if told:
        held.bells.notifications.ring()
    oldest = min(job.created_at for job in jobs)
    logger.info(
        "analytics refreshed", extra={"changes": len(jobs), "budgets_exceeded": told, "lag_seconds": lag(now - oldest)}
    )


def _months(jobs: Sequence[Job]) -> set[date] | None:
    """Return the months that jobs name; None if one of them means all."""
    if any("months" not in job.payload for job in jobs):
        return None
    return {date.fromisoformat(month) for job in jobs for month in job.payload["months"]}


async def _tell(held: Services, session: AsyncSession, user_id: UUID) -> int:
    """Keep a message for each budget of this month and later ones that is spent; return how many are new."""
    now = held.now()
    spent = await exceeded(session, user_id, month_of(now.date()))
    user = await session.get(User, user_id) if spent else None
    if user is None:
        return 0
    traceparent = await latest_cause(session, user_id)
    told = 0
    for budget, total in spent:
        message = notifications.budget_exceeded(
            named(budget.month),
            budget.category,
            round_to_currency(total, user.currency),
            round_to_currency(budget.limit, user.currency),
            user.currency,
        )
        if await notify(session, user_id, user.notify_by, message, now, traceparent=traceparent):
            told += 1
            category: business.Category = budget.category  # type: ignore[assignment] # checked when it came in
            once_committed(session, partial(business.budget_exceeded, category))
    return told
