"""Who is there: users seen of late, counted once for the whole service."""

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from redis.exceptions import RedisError

from mita_otel.metrics.business import Window
from mita_otel.retries.redis import connect

logger = logging.getLogger(__name__)

WINDOWS: Final[Mapping[Window, int]] = {"5m": 5, "1h": 60, "1d": 1440}
"""Minutes."""

LEASE: Final = 45
"""Seconds that one process tells for all: three rounds of the background work, so that a late one changes nothing."""

REMEMBERED: Final = 100_000
"""Users of one process between two rounds, or in its memory where there is no Redis; the oldest are forgotten."""

TIMEOUT: Final = 0.5
"""Seconds for a connection or a command."""

_KEY: Final = "presence"


class Counting(Protocol):
    """Counts users over windows of time."""

    async def count(self, seen: list[tuple[UUID, float]], now: float) -> Mapping[Window, int] | None:
        """Take in who was seen when, in seconds since the epoch; return the counts if it is this process that tells."""

    async def close(self) -> None:
        """Release connections."""


class RedisCounting:
    """Counts in Redis: a HyperLogLog a minute, united when read; the counts are right within about 1 %."""

    def __init__(self, url: str) -> None:
        """Connect when first asked to."""
        self._redis = connect(url, timeout=TIMEOUT)
        self._name = secrets.token_hex(8)

    async def count(self, seen: list[tuple[UUID, float]], now: float) -> Mapping[Window, int] | None:
        """Take in who was seen; the counts are told by whoever holds the lease.

        Raises:
            RedisError: Redis does not answer; who was seen is lost for the count of these minutes.
        """
        minute = int(now // 60)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for when, users in _by_minute(seen).items():
                pipeline.pfadd(f"{_KEY}:{when}", *users)
                pipeline.expire(f"{_KEY}:{when}", 86_400 + 120)
            pipeline.set(f"{_KEY}:lease", self._name, ex=LEASE, nx=True)
            pipeline.get(f"{_KEY}:lease")
            holder = (await pipeline.execute())[-1]
        if holder != self._name.encode():
            return None
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.expire(f"{_KEY}:lease", LEASE)
            for minutes in WINDOWS.values():
                pipeline.pfcount(*(f"{_KEY}:{minute - back}" for back in range(minutes)))
            _, *counts = await pipeline.execute()
        return dict(zip(WINDOWS, map(int, counts), strict=True))

    async def close(self) -> None:
        """Give the lease back and release connections."""
        try:
            if await self._redis.get(f"{_KEY}:lease") == self._name.encode():
                await self._redis.delete(f"{_KEY}:lease")
        except (RedisError, OSError):
            pass  # it runs out by itself
        await self._redis.aclose()


class MemoryCounting:
    """Counts in this process: right for a service of one process, which is what runs without Redis."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._last: OrderedDict[UUID, float] = OrderedDict()

    async def count(self, seen: list[tuple[UUID, float]], now: float) -> Mapping[Window, int] | None:
        """Take in who was seen, and return the counts."""
        for user, when in seen:
            self._last.pop(user, None)
            self._last[user] = when
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return {
            window: sum(when > now - minutes * 60 for when in self._last.values())
            for window, minutes in WINDOWS.items()
        }

    async def close(self) -> None:
        """Forget everybody."""
        self._last.clear()


def _by_minute(seen: list[tuple[UUID, float]]) -> Mapping[int, set[bytes]]:
    minutes: dict[int, set[bytes]] = {}
    for user, when in seen:
        minutes.setdefault(int(when // 60), set()).add(user.bytes)
    return minutes


class Presence:
    """What this process has seen, and what it tells at each collection of metrics.

    Args:
        counting: where users are counted.
    """

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._seen: dict[UUID, float] = {}
        self._told: Mapping[Window, int] | None = None
        self._sessions: int | None = None
        self._until = 0.0
        self._refreshed: float | None = None

    def seen(self, user: UUID) -> None:
        """Take note of a user's request; a dictionary's write, no I/O."""
        if len(self._seen) < REMEMBERED:
            self._seen[user] = time.time()

    def refreshed(self, now: datetime) -> None:
        """Take note of a refresh of the analytics."""
        self._refreshed = now.timestamp()

    async def count(self) -> bool:
        """Count who was seen since the last time; return whether it is this process that tells."""
        seen, self._seen = list(self._seen.items()), {}
        try:
            self._told = await self._counting.count(seen, time.time())
        except (RedisError, OSError) as error:
            self._told = None
            logger.warning("active users cannot be counted", extra={"cause": type(error).__name__})
        self._until = time.monotonic() + LEASE
        return self._told is not None

    def tell_sessions(self, number: int | None) -> None:
        """Take note of how many sessions there are, if this process tells."""
        self._sessions = number

    def users(self, window: Window) -> int | None:
        """Return how many users were seen within a window; None if another process tells, or no one knows."""
        told = self._told
        return None if told is None or time.monotonic() > self._until else told[window]

    def sessions(self) -> int | None:
        """Return how many sessions there are; None as for `users`."""
        return None if self.users("5m") is None else self._sessions

    def last_refresh(self) -> float | None:
        """Return when this process last refreshed analytics, in seconds since the epoch; None if it never did."""
        return self._refreshed

    async def close(self) -> None:
        """Release connections, and tell no more."""
        self._told = None
        await self._counting.close()
