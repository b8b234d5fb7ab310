"""Sessions: an access token for an hour, and a refresh token for the next one."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import ServicesNeeded
from app.errors import ApiError
from app.security import Caller
from app.services import Services
from app.storage import User, sessions
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.metrics.business import Reason

router = APIRouter(prefix="/auth", tags=["auth"])
logger = logging.getLogger(__name__)

Secret = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""Ours have 43 characters."""


_REASONS: Mapping[sessions.Refused, Reason] = {
    sessions.Refused.UNKNOWN: "token_invalid",
    sessions.Refused.OVER: "token_expired",
    sessions.Refused.REUSED: "token_reused",
}


class Token(BaseModel):
    """What a client sends along from now on, for how many seconds, and what it exchanges for the next one."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of a token, not a secret
    expires_in: int
    refresh_token: str


class Refresh(BaseModel):
    """The refresh token of the last answer."""

    refresh_token: Secret


def open_session(held: Services, session: AsyncSession, user: User) -> Token:
    """Return the tokens of a user who has just logged in; the caller commits."""
    refresh_token = sessions.begin(session, user.id, held.now(), _lifetime(held))
    return _token(held, user, refresh_token)


@router.post("/refresh")
async def refresh(given: Refresh, held: ServicesNeeded) -> Token:
    """Exchange a refresh token for new tokens, once; one that comes again ends every session that came of it."""
    async with held.database.session() as session:
        found = await sessions.exchange(session, given.refresh_token, held.now(), _lifetime(held))
        await session.commit()
    if isinstance(found, sessions.Refused):
        business.authentication_failed("refresh", _REASONS[found])
        business.token_refreshed("failed")
        stolen = found is sessions.Refused.REUSED
        kind = audit.EventType.SECURITY_VIOLATION if stolen else audit.EventType.AUTHENTICATION
        audit.record(kind, "session.refreshed", outcome=False, details={"reason": found.value})
        logger.warning("token refresh refused", extra={"reason": found.value})
        raise ApiError(401, "REFRESH_TOKEN_INVALID", "log in again")
    business.authenticated("refresh")
    business.token_refreshed("success")
    audit.record(audit.EventType.AUTHENTICATION, "session.refreshed", user=found.user.id)
    logger.info("token refreshed", extra={"user.id": str(found.user.id)})
    return _token(held, found.user, found.token)


@router.post("/logout", status_code=204)
async def log_out(given: Refresh, held: ServicesNeeded) -> None:
    """End the session that a refresh token belongs to; nothing happens if it is over already."""
    async with held.database.session() as session:
        await sessions.end_with(session, given.refresh_token, held.now())
        await session.commit()
    audit.record(audit.EventType.AUTHENTICATION, "logout")
    logger.info("user logged out")


def _token(held: Services, user: User, refresh_token: str) -> Token:
    return Token(
        access_token=held.tokens.issue(Caller(user.id, user.currency)),
        expires_in=held.tokens.seconds,
        refresh_token=refresh_token,
    )


def _lifetime(held: Services) -> timedelta:
    return timedelta(days=held.settings.refresh_days)
