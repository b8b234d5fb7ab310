"""Login by Google: to the provider and back, in one browser, within ten minutes."""

import logging
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Cookie, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.auth import email_taken, registered, tried
from app.api.dependencies import ServicesNeeded
from app.api.inputs import Email
from app.api.sessions import Token, open_session
from app.clients.google import Person
from app.errors import ApiError
from app.security import NO_PASSWORD, digest, new_secret
from app.services import Services
from app.storage import GoogleAccount, GoogleLogin, User
from mita_otel.metrics import business

router = APIRouter(prefix="/auth/google", tags=["auth"])
logger = logging.getLogger(__name__)

CALLBACK = "/api/auth/google/callback"
COOKIE = "mita_google_login"

UNDER_WAY = timedelta(minutes=10)
"""Time to choose an account and to type its password."""

_email = TypeAdapter(Email)


@router.get("/start", status_code=302, response_class=RedirectResponse)
async def start(held: ServicesNeeded) -> RedirectResponse:
    """Send the browser to Google; it gets a cookie, so that the answer is good for nobody else's browser."""
    state, browser, verifier = new_secret(), new_secret(), new_secret()
    address = held.google.address(state, verifier)
    async with held.database.session() as session:
        session.add(
            GoogleLogin(
                state_digest=digest(state),
                browser_digest=digest(browser),
                verifier=verifier,
                expires_at=held.now() + UNDER_WAY,
            )
        )
        await session.commit()
    answer = RedirectResponse(address, status_code=302, headers={"cache-control": "no-store"})
    answer.set_cookie(
        COOKIE,
        browser,
        max_age=int(UNDER_WAY.total_seconds()),
        path=CALLBACK,
        secure=held.settings.public_url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/callback")
async def callback(
    held: ServicesNeeded,
    response: Response,
    *,
    state: Annotated[str, Query(min_length=1, max_length=128)],
    code: Annotated[str | None, Query(max_length=2048)] = None,
    error: Annotated[str | None, Query(max_length=256)] = None,
    browser: Annotated[str | None, Cookie(alias=COOKIE, max_length=128)] = None,
) -> Token:
    """Log in whom Google sends back: a user it knows, or a new one. Nothing in the address says where to go next."""
    verifier = await _claim(held, state, browser)
    response.delete_cookie(COOKIE, path=CALLBACK)
    response.headers["cache-control"] = "no-store"
    if code is None or error is not None:
        business.authentication_failed("google", "provider")
        tried("google", None, succeeded=False, reason="denied")
        logger.warning("login failed", extra={"by": "google", "reason": "denied"})
        raise ApiError(401, "GOOGLE_LOGIN_FAILED", "the login was not accepted by Google")
    person = await held.google.person(code, verifier)
    async with held.database.session() as session:
        user, is_new = await _user(held, session, person)
        token = open_session(held, session, user)
        await session.commit()
    if is_new:
        business.user_registered("google")
        registered(user, by="google")
    business.authenticated("google")
    tried("google", user, succeeded=True)
    logger.info("user registered" if is_new else "user logged in", extra={"user.id": str(user.id), "by": "google"})
    return token


async def _claim(held: Services, state: str, browser: str | None) -> str:
    """Return the verifier of a login that this browser began, once."""
    mine = (
        (GoogleLogin.state_digest == digest(state))
        & (GoogleLogin.browser_digest == digest(browser or ""))
        & (GoogleLogin.expires_at > held.now())
    )
    async with held.database.session() as session:
        verifier: str | None = await session.scalar(delete(GoogleLogin).where(mine).returning(GoogleLogin.verifier))
        await session.commit()
    if verifier is None:
        business.authentication_failed("google", "credentials")
        tried("google", None, succeeded=False, reason="state")
        logger.warning("login failed", extra={"by": "google", "reason": "state"})
        raise ApiError(401, "GOOGLE_STATE_INVALID", "this login was not begun here, or is over; begin again")
    return verifier


async def _user(held: Services, session: AsyncSession, person: Person) -> tuple[User, bool]:
    known = (
        select(User).join(GoogleAccount, GoogleAccount.user_id == User.id).where(GoogleAccount.subject == person.sub)
    )
    user = await session.scalar(known)
    if user is not None:
        return user, False
    user = User(
        id=uuid4(),
        email=_address(person),
        password_hash=NO_PASSWORD,
        name=_name(person),
        currency=held.settings.default_currency,
    )
    session.add(user)
    try:
        await session.flush()
        session.add(GoogleAccount(subject=person.sub, user_id=user.id))
        await session.flush()
    except IntegrityError as error:
        # Whoever registered the address with a password has never proved that it is theirs: the two are not joined.
        raise email_taken() from error
    return user, True


def _address(person: Person) -> str:
    try:
        address = _email.validate_python(person.email)
    except ValidationError as error:
        raise _unverified() from error
    if not person.email_verified:
        raise _unverified()
    return address


def _name(person: Person) -> str:
    return "".join(character for character in person.name if character.isprintable())[:100]


def _unverified() -> ApiError:
    business.authentication_failed("google", "credentials")
    tried("google", None, succeeded=False, reason="address")
    logger.warning("login failed", extra={"by": "google", "reason": "address"})
    return ApiError(401, "GOOGLE_LOGIN_FAILED", "Google has not verified this account's e-mail address")
