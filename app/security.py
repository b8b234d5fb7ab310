"""Passwords and tokens, by kept libraries."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash

from app.errors import ApiError

AUDIENCE = "mita-finance"
ALGORITHM = "HS256"

HASHES_AT_ONCE = 4
"""One hash takes 64 MiB; a rush of logins must not take all memory."""

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
    return fits and password_hash is not None


class Tokens:
    """Issues and reads JWTs."""

    def __init__(self, secret: str, minutes: int) -> None:
        """Take the key and how long a token lasts."""
        self._secret = secret
        self._lifetime = timedelta(minutes=minutes)

    def issue(self, caller: Caller) -> str:
        """Return a token for a user."""
        now = datetime.now(UTC)
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
            claims = jwt.decode(
                token,
                self._secret,
                [ALGORITHM],
                {"require": ["sub", "exp", "iat", "aud", "currency"]},
                audience=AUDIENCE,
            )
            return Caller(UUID(claims["sub"]), str(claims["currency"]))
        except (jwt.InvalidTokenError, ValueError) as error:
            raise ApiError(401, "AUTHENTICATION_REQUIRED", "a valid bearer token is needed") from error
