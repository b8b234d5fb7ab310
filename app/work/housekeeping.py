"""What nobody can use any more is deleted, once an hour."""

import logging
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.notifications import State
from app.services import Services
from app.storage import GoogleLogin, Job, Notification, PasswordReset, RefreshToken
from mita_otel.traces import linked_work

logger = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds: rows that are over do no harm, they only take room."""

KEPT = timedelta(days=1)
"""How long over secrets are kept: the reuse of a stolen one is still noticed."""

NOTIFICATIONS_KEPT = timedelta(days=90)
"""Old messages are no news."""

JOBS_KEPT = timedelta(days=7)
"""Jobs given up on stay a week for somebody to look at."""


async def work(held: Services) -> float:
    """Delete what is over."""
    now = held.now()
    over = (
        delete(RefreshToken).where(RefreshToken.expires_at < now - KEPT),
        delete(PasswordReset).where(PasswordReset.expires_at < now - KEPT),
        delete(GoogleLogin).where(GoogleLogin.expires_at < now),
        delete(Notification).where(
            Notification.created_at < now - NOTIFICATIONS_KEPT, Notification.state != State.PENDING.value
        ),
        delete(Job).where(Job.due_at.is_(None), Job.created_at < now - JOBS_KEPT),
    )

    async def delete_all(session: AsyncSession) -> int:
        return sum([(await session.execute(each)).rowcount for each in over])  # type: ignore[attr-defined]  # a DELETE has one

    with linked_work("housekeeping"):
        rows = await held.database.transaction(delete_all, idempotent=True)
        logger.info("housekeeping done", extra={"rows": rows})
    return EVERY
