"""A new password for those who have forgotten theirs."""

import logging

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import ColumnElement, delete, select, update

from app.api.dependencies import ServicesNeeded
from app.api.inputs import Email, Password
from app.api.sessions import Secret
from app.domain.notifications import password_changed
from app.errors import ApiError
from app.security import digest, hash_password
from app.services import Services
from app.storage import PasswordReset, User, sessions
from app.storage.notifications import notify
from app.work.password_reset import reset_wanted
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.ratelimit import charge
from mita_otel.traces import current_traceparent

router = APIRouter(prefix="/auth/password-reset", tags=["auth"])
logger = logging.getLogger(__name__)


class ResetWanted(BaseModel):
    """Whose password is forgotten."""

    email: Email


class ResetConfirmed(BaseModel):
    """The secret out of the mail, and the new password."""

    token: Secret
    password: Password


class Accepted(BaseModel):
    """What everybody is told."""

    message: str


@router.post("/request", status_code=202)
async def request_reset(given: ResetWanted, held: ServicesNeeded) -> Accepted:
    """Send a mail to a user; answer and time are the same where there is none, as it is looked up afterwards."""
    await charge("password_reset_account", given.email)
    async with held.database.session() as session:
        session.add(reset_wanted(given.email, held.now(), traceparent=current_traceparent()))
        await session.commit()
    held.bells.mail.ring()
    business.password_reset("requested")
    audit.record(audit.EventType.AUTHENTICATION, "password_reset.requested")
    logger.info("password reset requested")
    return Accepted(message="if there is a user with this address, a mail is on its way")


@router.post("/confirm", status_code=204)
async def confirm_reset(given: ResetConfirmed, held: ServicesNeeded) -> None:
    """Set a new password, once for each mail; every session of the user ends."""
    valid = _valid(given.token, held)
    async with held.database.session() as session:
        if await session.scalar(select(PasswordReset.digest).where(valid)) is None:
            raise _refused()
    # A hash costs much: only for those who hold a mail. No connection is held meanwhile.
    password_hash = await hash_password(given.password)
    now = held.now()
    async with held.database.session() as session:
        used = update(PasswordReset).where(valid).values(used_at=now).returning(PasswordReset.user_id)
        user_id = await session.scalar(used)
        if user_id is None:
            raise _refused()
        await sessions.end_all(session, user_id, now)
        user = await session.get_one(User, user_id)
        user.password_hash = password_hash
        others = (PasswordReset.user_id == user_id) & PasswordReset.used_at.is_(None)
        await session.execute(delete(PasswordReset).where(others))
        message = password_changed(now)
        await notify(session, user_id, user.notify_by, message, now, traceparent=current_traceparent())
        about = {"by": "reset"}
        await audit.restricted(session, "password.changed", user=user_id, resource=("user", user_id), details=about)
        await session.commit()
    held.bells.notifications.ring()
    business.password_reset("success")
    logger.info("password changed", extra={"user.id": str(user_id), "by": "reset"})


def _valid(token: str, held: Services) -> ColumnElement[bool]:
    return (
        (PasswordReset.digest == digest(token))
        & PasswordReset.used_at.is_(None)
        & (PasswordReset.expires_at > held.now())
    )


def _refused() -> ApiError:
    business.password_reset("failed")
    audit.record(audit.EventType.AUTHENTICATION, "password_reset.refused", outcome=False)
    logger.warning("password reset refused")
    return ApiError(401, "RESET_TOKEN_INVALID", "this link is used or over; ask for another mail")
