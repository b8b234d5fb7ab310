"""The cache itself: reads, writes and forgets, within a time limit and without ever raising what Redis raises."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeVar

import redis
import redis.asyncio
from opentelemetry.metrics import get_meter_provider

from mita_otel.cache import statistics
from mita_otel.cache.flights import Flights
from mita_otel.cache.gate import Gate
from mita_otel.cache.keys import checked_name, stored_key
from mita_otel.cache.server import read_state, servers
from mita_otel.cache.statistics import CacheStats, Operation
from mita_otel.cache.values import PLAIN, Codec, RejectedError, UnreadableError
from mita_otel.retries import OutOfTimeError, has_passed, remaining

T = TypeVar("T")

TTL: Final = 300.0
"""Seconds that an entry lives, unless its cache or its caller says otherwise."""

LONGEST_TTL: Final = 366 * 86_400.0
"""Seconds; whatever is to live longer is no cache's entry."""

TIMEOUT: Final = 0.2
"""Seconds that a cache may take of a request."""

JITTER: Final = 0.1
"""Share by which lifetimes vary, so that what was stored together does not expire together."""

CHUNK: Final = 200
"""Keys of one round trip."""

_REFUSALS: Final = (redis.ResponseError, redis.DataError, UnicodeError)
"""Errors that are answers, or never left this process: the server is there."""

_logger: Final = logging.getLogger("mita_otel.cache")


class Lookup(NamedTuple, Generic[T]):
    """What came of a lookup: a value, none, or (`is_answered` is false) no answer."""

    is_answered: bool
    is_hit: bool = False
    value: T | None = None


class RedisCache:
    """A named cache in a Redis database, for JSON values of at most 1 MiB.

    An operation takes at most `timeout` seconds of a request and raises nothing that Redis raises: a cache that does
    not answer is an empty one. It raises `OutOfTimeError` where the request's own deadline passes meanwhile. After a
    failure it is asked once a second until it answers. Keys may be any text; they begin with the cache's name in Redis.

    Args:
        client: of redis-py, asyncio, single server or cluster; the application closes it.
        name: of the cache, for metrics and keys: a lower-case letter, then at most 62 more, digits, `_`, `.` and `-`.
        ttl: seconds that an entry lives, up to a year; a tenth more or less, by chance.
        timeout: seconds for an operation, 0.001 to 60.

    Raises:
        TypeError: the client is not one of redis-py's for asyncio.
        ValueError: the name, `ttl` or `timeout` is not allowed.
    """

    __slots__ = ("_client", "_counts", "_gate", "_rejected", "flights", "name", "timeout", "ttl")

    def __init__(
        self,
        client: "redis.asyncio.Redis | redis.asyncio.RedisCluster",
        name: str,
        *,
        ttl: float = TTL,
        timeout: float = TIMEOUT,
    ) -> None:
        if isinstance(client, redis.Redis | redis.RedisCluster):
            raise TypeError("the client must be one for asyncio, of redis.asyncio")
        self.name = checked_name(name)
        self.ttl = checked_ttl(ttl)
        if not 0.001 <= timeout <= 60:  # noqa: PLR2004 - said in the docstring
            raise ValueError(f"timeout={timeout!r} is not allowed: seconds between 0.001 and 60")
        self.timeout = timeout
        self.flights = Flights()
        self._client: Any = client
        self._counts = statistics.counts_of(name)
        self._gate = Gate(name)
        self._rejected: set[str] = set()
        statistics.register(name, self.stats)
        provider = get_meter_provider()
        statistics.observe(provider)
        servers().add(getattr(client, "connection_pool", None), provider)

    async def get(self, key: str, default: Any = None) -> Any:
        """Return what is kept under a key, or `default`, also where the cache does not answer."""
        found = await self.look_up(stored_key(self.name, key), PLAIN, self.timeout)
        return found.value if found.is_hit else default

    async def set(self, key: str, value: Any, *, ttl: float | None = None) -> bool:
        """Keep a value: a text, a number, a bool, None, or lists and dicts of them; say whether it was kept.

        Args:
            key: any text.
            value: one that JSON would change, such as a tuple, is not kept, nor is one of more than 1 MiB.
            ttl: seconds, instead of the cache's own.
        """
        return await self.store(stored_key(self.name, key), self.encode(value, PLAIN, "set"), ttl, self.timeout)

    async def invalidate(self, *keys: str) -> int | None:
        """Forget what is kept under the keys, and let no computation that is under way here keep it again.

        Returns:
            How many entries there were; None where the cache did not answer, so that they may live to their end.
        """
        stored = [stored_key(self.name, key) for key in keys]
        for key in stored:
            self.flights.abandon(key)
        removed, until = 0, time.monotonic() + self.timeout
        for chunk in _chunks(stored):
            left = until - time.monotonic()
            found = await self._ask("invalidate", partial(self._client.unlink, *chunk), left)
            if found is None:
                return None
            self._counts.count("invalidate", "success")
            removed += found
            self._counts.invalidated += found
        return removed

    async def warm_up(self, entries: Mapping[str, Any], *, ttl: float | None = None) -> int:
        """Keep values before anyone asks for them; return how many were kept. Each may take the cache's timeout."""
        kept = 0
        for key, value in entries.items():
            encoded = self.encode(value, PLAIN, "warm_up")
            kept += await self.store(stored_key(self.name, key), encoded, ttl, self.timeout, operation="warm_up")
        return kept

    async def stats(self) -> CacheStats:
        """Return what this process has done with the cache, and what its server says now, if it answers in time."""
        stats = self._counts.stats()
        try:
            async with asyncio.timeout(self.timeout):
                state = read_state(await self._client.info())
                size = int(await self._client.dbsize())
        except Exception:  # noqa: BLE001 - whatever the client raises, there is no answer
            return stats
        return replace(
            stats, size=size, evictions=state.evictions, memory=state.memory, memory_limit=state.memory_limit
        )

    async def look_up(self, key: bytes, codec: Codec[T], seconds: float) -> Lookup[T]:
        """Look a stored key up, and count it; what cannot be read is not there."""
        found = await self._ask("get", lambda: self._found(key), seconds)
        if found is None:
            return Lookup(is_answered=False)
        [stored] = found
        if stored is not None:
            try:
                value = codec.decode(stored)
            except UnreadableError as error:
                self._tell("unreadable", error)
            else:
                self._counts.count("get", "hit")
                return Lookup(is_answered=True, is_hit=True, value=value)
        self._counts.count("get", "miss")
        return Lookup(is_answered=True)

    async def store(
        self, key: bytes, encoded: bytes | None, ttl: float | None, seconds: float, *, operation: Operation = "set"
    ) -> bool:
        """Store what was encoded, unless that is nothing, and count it; say whether it is there."""
        if encoded is None:
            return False
        lifetime = self.ttl if ttl is None else checked_ttl(ttl)
        milliseconds = max(1, round(lifetime * 1000 * random.uniform(1 - JITTER, 1 + JITTER)))  # noqa: S311 - no secret
        found = await self._ask(operation, lambda: self._client.set(key, encoded, px=milliseconds), seconds)
        if found is None:
            return False
        self._counts.count(operation, "success")
        self._counts.warmed_up += operation == "warm_up"
        return True

    def encode(self, value: T, codec: Codec[T], operation: Operation) -> bytes | None:
        """Return what to store of a value; None, counted and logged once, if it cannot be kept."""
        try:
            return codec.encode(value)
        except RejectedError as error:
            self._counts.count(operation, "rejected")
            self._tell("rejected", error)
            return None

    async def _found(self, key: bytes) -> tuple[bytes | str | None]:
        return (await self._client.get(key),)

    async def _ask(self, operation: Operation, ask: Callable[[], Awaitable[T]], seconds: float) -> T | None:
        """Ask Redis within a time limit; None, counted as an error, is no answer.

        Raises:
            OutOfTimeError: the request's deadline has passed; the cache may be there for all others.
        """
        now = time.monotonic()
        if seconds <= 0 or not self._gate.lets_through(now):
            self._counts.count(operation, "error")
            return None
        try:
            async with asyncio.timeout(min(seconds, remaining())):
                answer = await ask()
        except Exception as error:
            if isinstance(error, TimeoutError) and has_passed():
                self._counts.count(operation, "error")
                raise OutOfTimeError("cache") from error
            note = self._gate.refused if isinstance(error, _REFUSALS) else self._gate.failed
            note(error, time.monotonic())
            self._counts.count(operation, "error")
            return None
        self._gate.answered()
        return answer

    def _tell(self, what: str, error: ValueError) -> None:
        if what not in self._rejected:
            self._rejected.add(what)
            _logger.warning("cache %s: a value was not used: %s", self.name, error, extra={"cache": self.name})


def checked_ttl(ttl: float) -> float:
    """Return a lifetime in seconds.

    Raises:
        ValueError: it is not allowed.
    """
    if not 0 < ttl <= LONGEST_TTL:
        raise ValueError(f"ttl={ttl!r} is not allowed: seconds, more than 0 and at most a year")
    return ttl


def _chunks(keys: Iterable[bytes]) -> Iterable[list[bytes]]:
    rest = iter(keys)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
