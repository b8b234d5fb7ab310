"""Registration and login."""

import logging
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.api.dependencies import ServicesNeeded
from app.api.text import Text
from app.domain.money import CURRENCIES, Currency
from app.errors import ApiError
from app.security import Caller, hash_password, verify_password
from app.storage import User

router = APIRouter(prefix="/auth", tags=["auth"])
logger = logging.getLogger(__name__)

Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=r"^[!-?A-~]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$",
    ),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]


class Registration(BaseModel):
    """A new user."""

    email: Email
    password: Password
    name: Text = Field(default="", max_length=100)
    currency: Currency | None = None


class Login(BaseModel):
    """Credentials; a password of any length may be tried."""

    email: Email
    password: Annotated[str, StringConstraints(max_length=128)]


class Token(BaseModel):
    """What a client sends along from now on."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the kind of a token, not a secret


@router.post("/register", status_code=201)
async def register(registration: Registration, held: ServicesNeeded) -> Token:
    """Create a user and log them in."""
    currency = registration.currency or held.settings.default_currency
    if currency not in CURRENCIES:
        raise ApiError(422, "CURRENCY_UNKNOWN", f"{currency} is not a currency we know")
    user = User(
        email=registration.email,
        password_hash=await hash_password(registration.password),
        name=registration.name,
        currency=currency,
    )
    async with held.database.session() as session:
        session.add(user)
        try:
            await session.commit()
        except IntegrityError as error:
            raise ApiError(409, "EMAIL_TAKEN", "this e-mail address is registered already") from error
    logger.info("user registered", extra={"user.id": str(user.id)})
    return Token(access_token=held.tokens.issue(Caller(user.id, user.currency)))


@router.post("/login")
async def login(given: Login, held: ServicesNeeded) -> Token:
    """Exchange credentials for a token; an answer does not tell whether the user exists."""
    async with held.database.session() as session:
        user = await session.scalar(select(User).where(User.email == given.email))
    if not await verify_password(given.password, user.password_hash if user else None) or user is None:
        logger.warning("login failed")
        raise ApiError(401, "CREDENTIALS_INVALID", "e-mail address or password is wrong")
    logger.info("user logged in", extra={"user.id": str(user.id)})
    return Token(access_token=held.tokens.issue(Caller(user.id, user.currency)))
