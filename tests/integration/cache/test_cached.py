"""`@cached` on a real Redis."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from mita_otel.cache import RedisCache, cached
from mita_otel.stack.databases import Server

Connect = Callable[[str], Any]


@dataclass
class Rate:
    currency: str
    value: Decimal


@pytest.fixture
def cache(client: Any, name: str) -> RedisCache:
    return RedisCache(client, name, ttl=60)


def _done(cache: RedisCache) -> dict[str, int]:
    operations = cache._counts.operations.items()
    return {f"{operation} {status}": number for (operation, status), number in operations if number}


async def test_a_result_is_computed_once_and_a_hit_is_what_a_call_is(cache: RedisCache) -> None:
    calls = []

    @cached(cache, key=lambda currency: currency)
    async def rate_of(currency: str) -> Rate:
        calls.append(currency)
        return Rate(currency, Decimal("1.10"))

    for _ in range(3):
        assert await rate_of("EUR") == Rate("EUR", Decimal("1.10"))
    assert await rate_of("USD") == Rate("USD", Decimal("1.10"))
    assert calls == ["EUR", "USD"]
    assert _done(cache) == {"get miss": 2, "set success": 2, "get hit": 2}


async def test_a_function_that_declares_nothing_returns_what_json_has(cache: RedisCache) -> None:
    calls = []

    @cached(cache, key="only")
    async def compute(value: Any):  # type: ignore[no-untyped-def]  # noqa: ANN202 - that is the point
        calls.append(value)
        return value

    assert [await compute({"a": [1]}), await compute(None)] == [{"a": [1]}] * 2
    assert len(calls) == 1


async def test_what_cannot_be_kept_is_returned_all_the_same(cache: RedisCache) -> None:
    @cached(cache, key="only")
    async def compute() -> Any:
        return (1, {2})

    assert [await compute(), await compute()] == [(1, {2})] * 2
    assert _done(cache) == {"get miss": 2, "set rejected": 2}


async def test_none_is_kept(cache: RedisCache) -> None:
    calls = []

    @cached(cache, key="only")
    async def compute() -> str | None:
        calls.append(1)
        return None

    assert [await compute(), await compute()] == [None, None]
    assert len(calls) == 1


async def test_an_exception_is_raised_and_not_kept(cache: RedisCache) -> None:
    @cached(cache, key="only")
    async def compute(fails: bool) -> int:  # noqa: FBT001 - brief
        return 1 // (0 if fails else 1)

    with pytest.raises(ZeroDivisionError):
        await compute(True)
    assert await compute(False) == 1


async def test_a_stampede_computes_once_and_everyone_has_a_copy(cache: RedisCache) -> None:
    calls = []

    @cached(cache, key="only")
    async def compute() -> list[int]:
        calls.append(1)
        await asyncio.sleep(0.05)
        return [1]

    results = await asyncio.gather(*(compute() for _ in range(100)))
    assert len(calls) == 1
    results[0].append(2)
    results[1].append(3)
    assert results[2:] == [[1]] * 98


async def test_another_versions_entry_is_computed_anew(cache: RedisCache) -> None:
    await cache.set("only", {"currency": "EUR"})

    @cached(cache, key="only")
    async def rate() -> Rate:
        return Rate("EUR", Decimal(1))

    assert await rate() == Rate("EUR", Decimal(1))
    assert await rate() == Rate("EUR", Decimal(1))
    assert _done(cache) == {"set success": 2, "get miss": 1, "get hit": 1}


async def test_an_entry_can_be_invalidated_and_warmed_up_by_its_arguments(cache: RedisCache) -> None:
    calls = []

    @cached(cache, key=lambda currency: currency)
    async def rate_of(currency: str) -> int:
        calls.append(currency)
        return len(calls)

    assert await rate_of.warm_up("EUR") == 1
    assert await rate_of("EUR") == 1
    assert await rate_of.invalidate("EUR") == 1
    assert await rate_of("EUR") == 2
    assert await rate_of.warm_up("EUR") == 3
    assert await rate_of("EUR") == 3
    assert (await cache.stats()).warmed_up == 2


async def test_what_was_computed_before_an_invalidation_is_not_kept_after_it(cache: RedisCache) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    stored = ["old"]

    @cached(cache, key="only")
    async def read() -> str:
        found = stored[0]
        begun.set()
        await go_on.wait()
        return found

    reading = asyncio.create_task(read())
    await begun.wait()
    stored[0] = "new"
    await read.invalidate()
    go_on.set()
    assert await reading == "old"
    assert await read() == "new"


async def test_a_method_is_kept_for_its_object(cache: RedisCache) -> None:
    class Rates:
        def __init__(self, source: str) -> None:
            self.source = source
            self.calls = 0

        @cached(cache, key=lambda self, currency: f"{self.source}:{currency}")
        async def of(self, currency: str) -> str:
            self.calls += 1
            return f"{self.source} {currency}"

    bank, market = Rates("bank"), Rates("market")
    for _ in range(2):
        assert await bank.of("EUR") == "bank EUR"
        assert await market.of(currency="EUR") == "market EUR"
    assert (bank.calls, market.calls) == (1, 1)
    assert await bank.of.invalidate("EUR") == 1
    assert await bank.of("EUR") == "bank EUR"
    assert bank.calls == 2


def test_it_looks_like_the_function(cache: RedisCache) -> None:
    @cached(cache, key=lambda currency: currency)
    async def rate_of(currency: str) -> int:
        """Return a rate."""
        return len(currency)

    assert rate_of.__name__ == "rate_of"
    assert rate_of.__doc__ == "Return a rate."
    assert str(inspect.signature(rate_of)) == "(currency: str) -> int"


async def test_without_redis_the_function_runs_once_for_all_who_ask_at_a_time(
    redis_server: Server, connect: Connect, name: str
) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name)
        redis_server.stop()
        calls = []

        @cached(cache, key="only")
        async def compute() -> int:
            calls.append(1)
            await asyncio.sleep(0.05)
            return 1

        assert await asyncio.gather(*(compute() for _ in range(20))) == [1] * 20
        assert len(calls) == 1
        assert _done(cache) == {"get error": 20}


async def test_a_redis_that_hangs_costs_a_request_its_timeout_and_no_more(
    redis_server: Server, connect: Connect, name: str
) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name, timeout=0.2)

        @cached(cache, key=str)
        async def compute(number: int) -> int:
            return number

        await compute(0)
        redis_server.pause()
        began = time.monotonic()
        assert [await compute(number) for number in range(20)] == list(range(20))
        assert time.monotonic() - began < 0.2 + 0.8  # the rest is what a busy machine may take
        redis_server.resume()


async def test_a_redis_that_hangs_between_reading_and_writing_has_one_timeout_for_both(
    redis_server: Server, connect: Connect, name: str
) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name, timeout=0.2)

        @cached(cache, key="only")
        async def compute() -> int:
            redis_server.pause()
            return 1

        began = time.monotonic()
        assert await compute() == 1
        assert time.monotonic() - began < 0.2 + 0.8
        redis_server.resume()
    assert _done(cache) == {"get miss": 1, "set error": 1}


async def test_a_function_that_calls_itself_does_not_wait_for_itself(cache: RedisCache) -> None:
    @cached(cache, key="only")
    async def compute(depth: int) -> int:
        return depth if depth == 3 else await compute(depth + 1)

    async with asyncio.timeout(5):
        assert await compute(0) == 3


def test_a_type_that_cannot_be_kept_is_told_when_the_function_is_defined(cache: RedisCache) -> None:
    class Session:
        pass

    with pytest.raises(TypeError, match="cannot be kept as JSON"):

        @cached(cache, key="only")
        async def session() -> Session:
            return Session()
