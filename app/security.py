"""Passwords and tokens, by kept libraries."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash

from app.clock import Clock, utc_now
from app.errors import ApiError
from mita_otel.metrics import business

AUDIENCE = "mita-finance"
ALGORITHM = "HS256"

LEEWAY = timedelta(seconds=30)
"""By how much the clocks of two machines may differ before a token of one is over too early on the other."""

NO_PASSWORD = ""
"""Stored in the place of a hash for users who log in by Google: nothing fits it."""

HASHES_AT_ONCE = 4
"""One hash takes 64 MiB; a rush of logins must not take all memory."""

_REFUSALS = (jwt.InvalidTokenError, ValueError, TypeError, OverflowError)
"""What a token that does not hold is read as."""

_hasher = PasswordHash.recommended()
_unknown_user_hash = _hasher.hash("nobody's password")
"""Verified when there is no such user, so that the time of an answer does not tell."""

_turns = CapacityLimiter(HASHES_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, as their token says."""

    user_id: UUID
    currency: str


async def hash_password(password: str) -> str:
    """Hash in a thread: it takes tens of milliseconds on purpose."""
    return await to_thread.run_sync(_hasher.hash, password, limiter=_turns)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Say whether a password fits; takes as long when there is no hash to compare with."""
    known = password_hash or _unknown_user_hash
    fits = await to_thread.run_sync(_hasher.verify, password, known, limiter=_turns)
    return fits and bool(password_hash)


def new_secret() -> str:
    """Return a secret that nobody guesses: 256 bits in 43 characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is stored of a secret; one of 256 bits needs neither salt nor slowness."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Tokens:
    """Issues and reads JWTs."""

    def __init__(self, secret: str, minutes: int, now: Clock = utc_now) -> None:
        """Take the key, how long a token lasts, and the clock."""
        self._secret = secret
        self._lifetime = timedelta(minutes=minutes)
        self._now = now

    @property
    def seconds(self) -> int:
        """How long a token lasts."""
        return int(self._lifetime.total_seconds())

    def issue(self, caller: Caller) -> str:
        """Return a token for a user."""
        now = self._now()
        claims = {
            "sub": str(caller.user_id),
            "currency": caller.currency,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self._lifetime,
        }
        return jwt.encode(claims, self._secret, ALGORITHM)

    def read(self, token: str) -> Caller:
        """Return whose token it is.

        Raises:
            ApiError: 401 if it is not one of ours, or not valid any more.
        """
        try:
            return self._verified(token)
        except _REFUSALS as error:
            business.token_refused("token_expired" if isinstance(error, jwt.ExpiredSignatureError) else "token_invalid")
            raise ApiError(401, "AUTHENTICATION_REQUIRED", "a valid bearer token is needed") from error

    def peek(self, token: str) -> Caller | None:
        """Return whose token it is, None if it is not valid; nobody is refused for it here."""
        try:
            return self._verified(token)
        except _REFUSALS:
            return None

    def _verified(self, token: str) -> Caller:
        """Return whose token it is.

        When it was issued is not looked at: after a step of the clock back, tokens of a moment ago are from the future.
        """
        claims = jwt.decode(
            token,
            self._secret,
            [ALGORITHM],
            {
                "require": ["sub", "exp", "iat", "aud", "currency"],
                "verify_exp": False,  # below, by the service's own clock
                "verify_iat": False,
            },
            audience=AUDIENCE,
        )
        if self._now() >= datetime.fromtimestamp(int(claims["exp"]), UTC) + LEEWAY:
            raise jwt.ExpiredSignatureError
        return Caller(UUID(claims["sub"]), str(claims["currency"]))
