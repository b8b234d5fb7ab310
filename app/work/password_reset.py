"""Mails with which users set a new password; who is a user is found out here, not while somebody waits and measures."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from app.domain.notifications import Attempt, Channel
from app.security import digest, new_secret
from app.services import Services
from app.storage import Job, PasswordReset, User
from app.storage.queue import still_mine
from app.work.claiming import lag, work_off
from mita_otel.traces import linked_work

logger = logging.getLogger(__name__)

PASSWORD_RESET = "password_reset"  # noqa: S105 - the kind of a job, not a secret

BATCH = 5
"""Mails in a round, one after the other: with 5 s each they end within their claim of 30 s."""

MAILED_WITHIN = timedelta(minutes=5)
"""Whoever waits longer has asked again, or given up."""

VALID = timedelta(minutes=30)
"""How long a mail's secret sets a password: time to open a mailbox, not to lose it."""

MOST_MAILS = 3
"""Mails to one user in 30 minutes. Source: observability report, section 2.5."""


TROUBLE = frozenset({"failed", "refused", "expired"})
"""Outcomes that somebody should know of."""


def reset_wanted(email: str, now: datetime, *, traceparent: str | None) -> Job:
    """Return the job to mail a user; the same for an address that nobody has."""
    return Job(kind=PASSWORD_RESET, payload={"email": email}, created_at=now, due_at=now, traceparent=traceparent)


async def work(held: Services) -> float:
    """Mail what is due."""
    return await work_off(held, Job, BATCH, _handle, Job.kind == PASSWORD_RESET)


async def _handle(held: Services, jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            with linked_work("password reset mail", job.traceparent):
                outcome = await _mail(held, job)
                if outcome != "failed":
                    await _done(held, job)
                level = logging.WARNING if outcome in TROUBLE else logging.INFO
                extra = {"lag_seconds": lag(held.now() - job.created_at)}
                logger.log(level, "password reset mail %s", outcome, extra=extra)
        except Exception:
            logger.exception("password reset mail failed")


async def _mail(held: Services, job: Job) -> str:
    """Return what came of it: sent, refused, failed (to be tried again), expired, unknown user, or too many."""
    now = held.now()
    if now - job.created_at > MAILED_WITHIN:
        return "expired"
    async with held.database.session() as session:
        user = await session.scalar(select(User).where(User.email == str(job.payload["email"])))
        if user is None:
            return "unknown user"
        recent = select(func.count()).where(PasswordReset.user_id == user.id, PasswordReset.created_at > now - VALID)
        if (await session.scalar(recent) or 0) >= MOST_MAILS:
            return "too many"
        secret = new_secret()
        session.add(PasswordReset(digest=digest(secret), user_id=user.id, created_at=now, expires_at=now + VALID))
        await session.commit()
    attempt = await _send(held, user.email, secret)
    if attempt is not Attempt.ACCEPTED:
        await _withdraw(held, user.id, secret)
    return {Attempt.ACCEPTED: "sent", Attempt.REFUSED: "refused", Attempt.FAILED: "failed"}[attempt]


async def _send(held: Services, email: str, secret: str) -> Attempt:
    address = str(held.settings.public_url).rstrip("/")
    # Behind the hash: it reaches neither servers nor their logs.
    text = f"Set a new password within 30 minutes: {address}/reset-password#token={secret}"
    # Each attempt is a message of its own: its secret is another one, and an earlier one is good for nothing.
    return await held.messages.send(uuid4(), Channel.EMAIL, email, title="Set a new password", text=text)


async def _withdraw(held: Services, user_id: UUID, secret: str) -> None:
    async with held.database.session() as session:
        await session.execute(
            delete(PasswordReset).where(PasswordReset.digest == digest(secret), PasswordReset.user_id == user_id)
        )
        await session.commit()


async def _done(held: Services, job: Job) -> None:
    async with held.database.session() as session:
        await session.execute(delete(Job).where(still_mine(Job, job)))
        await session.commit()
