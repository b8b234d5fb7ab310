"""Chains of refresh tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.security import digest, new_secret
from app.storage.models import RefreshToken, User


class Refused(StrEnum):
    """Why a token was not exchanged."""

    UNKNOWN = "unknown"
    OVER = "over"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The next token of a chain, and whose it is."""

    token: str
    user: User


def begin(session: AsyncSession, user_id: UUID, now: datetime, lifetime: timedelta) -> str:
    """Begin a chain and return its first token; the caller commits."""
    return _add(session, user_id, uuid4(), now, lifetime)


async def exchange(session: AsyncSession, token: str, now: datetime, lifetime: timedelta) -> Exchanged | Refused:
    """Exchange a token for the next one of its chain, once; the caller commits, whatever is returned.

    A token that comes a second time was stolen, or its answer was: nobody knows who sends it, so the chain ends.
    Source: RFC 9700, section 4.14.2.
    """
    mine = RefreshToken.digest == digest(token)
    unused = mine & RefreshToken.used_at.is_(None) & RefreshToken.revoked_at.is_(None) & (RefreshToken.expires_at > now)
    # One statement decides: of two requests at once, one gets the row.
    used = await session.scalar(update(RefreshToken).where(unused).values(used_at=now).returning(RefreshToken))
    if used is not None:
        user = await session.get_one(User, used.user_id)
        return Exchanged(_add(session, used.user_id, used.chain, now, lifetime), user)
    known = await session.scalar(select(RefreshToken).where(mine))
    if known is None:
        return Refused.UNKNOWN
    if known.used_at is None:
        return Refused.OVER
    await end(session, known.chain, now)
    return Refused.REUSED


async def end_with(session: AsyncSession, token: str, now: datetime) -> None:
    """End the chain that a token belongs to, if there is one; the caller commits."""
    chain = await session.scalar(select(RefreshToken.chain).where(RefreshToken.digest == digest(token)))
    if chain is not None:
        await end(session, chain, now)


async def end(session: AsyncSession, chain: UUID, now: datetime) -> None:
    """End a chain; the caller commits."""
    await _revoke(session, RefreshToken.chain == chain, now)


async def end_all(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """End every chain of a user; the caller commits."""
    theirs = RefreshToken.user_id == user_id
    await _revoke(session, theirs, now)
    # An exchange under way may just have added a token: wait for it at the row that it refers to, and look again.
    await session.execute(select(User.id).where(User.id == user_id).with_for_update())
    await _revoke(session, theirs, now)


async def count(session: AsyncSession, now: datetime) -> int:
    """Return how many chains can go on."""
    alive = RefreshToken.used_at.is_(None) & RefreshToken.revoked_at.is_(None) & (RefreshToken.expires_at > now)
    return int(await session.scalar(select(func.count()).select_from(RefreshToken).where(alive)) or 0)


async def _revoke(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> None:
    await session.execute(update(RefreshToken).where(which, RefreshToken.revoked_at.is_(None)).values(revoked_at=now))


def _add(session: AsyncSession, user_id: UUID, chain: UUID, now: datetime, lifetime: timedelta) -> str:
    token = new_secret()
    session.add(
        RefreshToken(digest=digest(token), chain=chain, user_id=user_id, created_at=now, expires_at=now + lifetime)
    )
    return token
