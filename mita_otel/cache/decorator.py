"""`@cached`: a function whose results are kept."""

import time
from collections.abc import Awaitable, Callable
from functools import partial, update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from mita_otel.cache.flights import Flight
from mita_otel.cache.keys import stored_key
from mita_otel.cache.redis import RedisCache, checked_ttl
from mita_otel.cache.values import Codec, codec_of

P = ParamSpec("P")
T = TypeVar("T")


class Decorator(Protocol):
    """Makes a function one whose results are kept."""

    def __call__(self, function: Callable[P, Awaitable[T]], /) -> "Cached[P, T]":
        """Decorate the function."""


def cached(cache: RedisCache, *, key: str | Callable[..., str], ttl: float | None = None) -> Decorator:
    """Keep what an async function returns, and answer from there as long as it lives.

    The declared type of the result decides how it is kept, so that a hit gives what a call would: models, dataclasses,
    Decimals, dates. A function that declares none may return what JSON has. What cannot be kept is returned all the
    same. Of several calls for one key at a time, in one process, the first computes and the others wait for it; they
    get copies. Exceptions are not kept.

    Args:
        cache: keeps the results.
        key: tells results apart: a text, or a function of the same arguments that returns one. Two functions on one
            cache need keys that differ.
        ttl: seconds, instead of the cache's own.

    Raises:
        TypeError: what the function declares that it returns cannot be kept.
        ValueError: `ttl` is not allowed.
    """
    lifetime = None if ttl is None else checked_ttl(ttl)

    def decorate(function: Callable[P, Awaitable[T]]) -> Cached[P, T]:
        return Cached(cache, function, key, lifetime, codec_of(function))

    return decorate


class Cached(Generic[P, T]):
    """A function whose results are kept; made by `cached`."""

    __name__: str

    def __init__(
        self,
        cache: RedisCache,
        function: Callable[P, Awaitable[T]],
        key: str | Callable[..., str],
        ttl: float | None,
        codec: Codec[T],
    ) -> None:
        update_wrapper(cast("Callable[P, Any]", self), function)
        self._cache = cache
        self._function = function
        self._key = key
        self._ttl = ttl
        self._codec = codec

    @overload
    def __get__(self, instance: None, owner: type) -> "Cached[P, T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> "Cached[..., T]": ...
    def __get__(self, instance: object | None, owner: type) -> "Cached[..., T]":
        """Return a method for an object, as functions do."""
        if instance is None:
            return self
        key = self._key if isinstance(self._key, str) else partial(self._key, instance)
        bound = partial(cast("Callable[..., Awaitable[T]]", self._function), instance)
        return Cached(self._cache, bound, key, self._ttl, self._codec)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the kept result, or what the function returns."""
        stored = self._stored_key(*args, **kwargs)
        began = time.monotonic()
        found = await self._cache.look_up(stored, self._codec, self._cache.timeout)
        if found.is_hit:
            return cast("T", found.value)
        # What the cache may still take of the request's time: nothing if it did not answer.
        left = self._cache.timeout - (time.monotonic() - began) if found.is_answered else 0.0
        owned: list[T] = []

        async def compute(flight: Flight) -> tuple[T, bytes | None]:
            value = await self._function(*args, **kwargs)
            owned.append(value)
            encoded = self._cache.encode(value, self._codec, "set")
            if flight.is_current and found.is_answered:
                await self._cache.store(stored, encoded, self._ttl, left)
            return value, encoded

        value, encoded = await self._cache.flights.join(stored, compute)
        if owned or encoded is None:
            return cast("T", value)
        # Those who waited get copies: what one of them changes is not the others'.
        return self._codec.decode(encoded)

    async def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> int | None:
        """Forget the result for these arguments; as `RedisCache.invalidate`."""
        return await self._cache.invalidate(self._text(*args, **kwargs))

    async def warm_up(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function now and keep what it returns, before anyone asks for it."""
        value = await self._function(*args, **kwargs)
        encoded = self._cache.encode(value, self._codec, "warm_up")
        stored = self._stored_key(*args, **kwargs)
        await self._cache.store(stored, encoded, self._ttl, self._cache.timeout, operation="warm_up")
        return value

    def _text(self, *args: P.args, **kwargs: P.kwargs) -> str:
        return self._key if isinstance(self._key, str) else self._key(*args, **kwargs)

    def _stored_key(self, *args: P.args, **kwargs: P.kwargs) -> bytes:
        return stored_key(self._cache.name, self._text(*args, **kwargs))
