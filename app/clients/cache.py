"""The cache: Redis, or this process's memory; a cache that fails is an empty cache."""

import logging
import time
from collections import OrderedDict
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TIMEOUT = 0.5
"""Seconds for a connection or a command: redis-py's defaults would make a dead cache cost 3 to 15 s a request."""

CAPACITY = 10_000
"""Entries that the in-process cache holds before it forgets the oldest."""


class Cache(Protocol):
    """Keeps texts for a while."""

    shared: bool
    """Whether every process sees the same, so that what one forgets is forgotten."""

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""

    async def forget(self, *keys: str) -> None:
        """Forget all of the keys, in one round trip."""

    async def close(self) -> None:
        """Release connections."""


FAILURES = (RedisError, OSError, UnicodeError)
"""No server, a server that refuses, and bytes that someone else left under our key."""


class RedisCache:
    """Keeps texts in Redis."""

    shared = True

    def __init__(self, url: str) -> None:
        """Connect when first asked to."""
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""
        try:
            value = await self._redis.get(key)
        except FAILURES as error:
            _warn("get", error)
            return None
        return None if value is None else str(value)

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""
        try:
            await self._redis.set(key, value, ex=seconds)
        except FAILURES as error:
            _warn("set", error)

    async def forget(self, *keys: str) -> None:
        """Forget all of the keys, in one round trip."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.unlink(key)
                await pipeline.execute()
        except FAILURES as error:
            _warn("forget", error)

    async def close(self) -> None:
        """Release connections."""
        await self._redis.aclose()


class MemoryCache:
    """Keeps texts in this process."""

    shared = False

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""
        value, until = self._kept.get(key, ("", 0.0))
        return value if until > time.monotonic() else None

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""
        self._kept.pop(key, None)
        self._kept[key] = (value, time.monotonic() + seconds)
        if len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)

    async def forget(self, *keys: str) -> None:
        """Forget all of the keys."""
        for key in keys:
            self._kept.pop(key, None)

    async def close(self) -> None:
        """Forget everything."""
        self._kept.clear()


def _warn(operation: str, error: Exception) -> None:
    logger.warning("the cache did not answer", extra={"cache.operation": operation, "cause": type(error).__name__})
