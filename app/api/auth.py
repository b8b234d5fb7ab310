"""Registration and login."""

import logging
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.api.dependencies import ServicesNeeded
from app.api.inputs import Email, Password, Text
from app.api.sessions import Token, open_session
from app.domain.money import KnownCurrency
from app.errors import ApiError
from app.security import hash_password, verify_password
from app.storage import User
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.ratelimit import charge

router = APIRouter(prefix="/auth", tags=["auth"])
logger = logging.getLogger(__name__)


class Registration(BaseModel):
    """A new user."""

    email: Email
    password: Password
    name: Text = Field(default="", max_length=100)
    currency: KnownCurrency | None = None


class Login(BaseModel):
    """Credentials; a password of any length may be tried."""

    email: Email
    password: Annotated[str, StringConstraints(max_length=128)]


@router.post("/register", status_code=201)
async def register(registration: Registration, held: ServicesNeeded) -> Token:
    """Create a user and log them in."""
    currency = registration.currency or held.settings.default_currency
    user = User(
        id=uuid4(),
        email=registration.email,
        password_hash=await hash_password(registration.password),
        name=registration.name,
        currency=currency,
    )
    async with held.database.session() as session:
        session.add(user)
        try:
            await session.flush()
        except IntegrityError as error:
            raise email_taken() from error
        token = open_session(held, session, user)
        await session.commit()
    business.user_registered("password")
    registered(user, by="password")
    logger.info("user registered", extra={"user.id": str(user.id), "by": "password"})
    return token


def registered(user: User, *, by: str) -> None:
    """Record a new user."""
    made = audit.fields(user, "email", "name", "currency")
    audit.modification(
        "user.registered", before=None, after=made, user=user.id, resource=("user", user.id), details={"by": by}
    )


def tried(by: str, user: User | None, *, succeeded: bool, reason: str | None = None) -> None:
    """Record an attempt to log in."""
    details = {"by": by, "reason": reason} if reason else {"by": by}
    known = user.id if user is not None else None
    audit.record(audit.EventType.AUTHENTICATION, "login", outcome=succeeded, user=known, details=details)


def email_taken() -> ApiError:
    """Return the error for an address that is somebody's already."""
    return ApiError(409, "EMAIL_TAKEN", "this e-mail address is registered already")


@router.post("/login")
async def login(given: Login, held: ServicesNeeded) -> Token:
    """Exchange credentials for a token; an answer does not tell whether the user exists."""
    await charge("login_account", given.email)
    async with held.database.session() as session:
        user = await session.scalar(select(User).where(User.email == given.email))
    if not await verify_password(given.password, user.password_hash if user else None) or user is None:
        business.authentication_failed("password", "credentials")
        tried("password", user, succeeded=False, reason="credentials")
        logger.warning("login failed", extra={"by": "password"})
        raise ApiError(401, "CREDENTIALS_INVALID", "e-mail address or password is wrong")
    async with held.database.session() as session:
        token = open_session(held, session, user)
        await session.commit()
    business.authenticated("password")
    tried("password", user, succeeded=True)
    logger.info("user logged in", extra={"user.id": str(user.id), "by": "password"})
    return token
