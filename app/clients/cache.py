"""The cache: Redis, or this process's memory; a cache that fails is an empty cache."""

import time
from collections import OrderedDict
from typing import Any, Protocol

from mita_otel import cache
from mita_otel.retries.redis import connect

TIMEOUT = 0.5
"""Seconds for a connection or a command: redis-py's defaults would make a dead cache cost 3 to 15 s a request."""

CAPACITY = 10_000
"""Entries that the in-process cache holds before it forgets the oldest."""


class Cache(Protocol):
    """Keeps texts for a while."""

    shared: bool
    """Whether every process sees the same, so that what one forgets is forgotten."""

    client: Any
    """Of the server that keeps it; None where there is none."""

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""

    async def forget(self, *keys: str) -> None:
        """Forget all of the keys, in one round trip."""

    async def close(self) -> None:
        """Release connections."""


class RedisCache:
    """Keeps texts in Redis, by the distribution's cache: counted, bounded, and out of the way when Redis is gone."""

    shared = True

    def __init__(self, url: str) -> None:
        """Connect when first asked to."""
        self.client = connect(url, timeout=TIMEOUT)
        self._cache = cache.RedisCache(self.client, "mita-finance", timeout=TIMEOUT)

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""
        value = await self._cache.get(key)
        return value if isinstance(value, str) else None

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""
        await self._cache.set(key, value, ttl=seconds)

    async def forget(self, *keys: str) -> None:
        """Forget all of the keys, in one round trip."""
        await self._cache.invalidate(*keys)

    async def close(self) -> None:
        """Release connections."""
        await self.client.aclose()


class MemoryCache:
    """Keeps texts in this process."""

    shared = False
    client = None

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
