"""The cache on a real Redis: what is kept, for how long, and what happens while Redis does not answer."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from mita_otel.cache import RedisCache, get_cache_stats
from mita_otel.cache.gate import PAUSE
from mita_otel.cache.redis import CHUNK, JITTER
from mita_otel.cache.statistics import CACHES_AT_MOST
from mita_otel.stack.databases import Server

Connect = Callable[[str], Any]


@pytest.fixture
def cache(client: Any, name: str) -> RedisCache:
    return RedisCache(client, name, ttl=60)


def _done(cache: RedisCache) -> dict[str, int]:
    operations = cache._counts.operations.items()
    return {f"{operation} {status}": number for (operation, status), number in operations if number}


async def test_what_is_kept_is_found(cache: RedisCache) -> None:
    value = {"a": [1, 2.5, None, True, "ключ"], "b": {}}
    assert await cache.set("k", value)
    assert await cache.get("k") == value
    assert await cache.get("other", default=7) == 7
    assert _done(cache) == {"set success": 1, "get hit": 1, "get miss": 1}


async def test_nothing_is_a_value_too(cache: RedisCache) -> None:
    await cache.set("k", None)
    assert await cache.get("k", default=7) is None


@pytest.mark.parametrize(
    "key",
    ["a\r\nFLUSHALL", "\x00", "🙂", "\ud800", "", "{tag}", "x" * 1_000_000, "#" * 40],
    ids=lambda key: ascii(key)[:20],
)
async def test_any_text_is_a_key(cache: RedisCache, key: str) -> None:
    await cache.set(key, "its value")
    assert await cache.get(key) == "its value"
    assert await cache.invalidate(key) == 1


async def test_a_client_that_decodes_serves_as_well(redis_url: str, name: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        cache = RedisCache(client, name)
        await cache.set("k", ["ключ"])
        assert await cache.get("k") == ["ключ"]


async def test_an_entry_lives_about_as_long_as_it_is_said_to(cache: RedisCache, client: Any, name: str) -> None:
    lifetimes = []
    for number in range(50):
        await cache.set(str(number), number, ttl=1000)
        lifetimes.append(await client.pttl(f"{name}:{number}") / 1000)
    assert min(lifetimes) >= 1000 * (1 - JITTER) - 10
    assert max(lifetimes) <= 1000 * (1 + JITTER)
    assert max(lifetimes) - min(lifetimes) > 10


async def test_an_entry_ends(cache: RedisCache) -> None:
    await cache.set("k", 1, ttl=0.02)
    await asyncio.sleep(0.05)
    assert await cache.get("k") is None


async def test_two_caches_keep_their_entries_apart(client: Any, name: str) -> None:
    one, other = RedisCache(client, name + "a"), RedisCache(client, name + "b")
    await one.set("k", 1)
    assert await other.get("k") is None


@pytest.mark.parametrize(
    "value",
    [object(), (1, 2), b"x", float("nan"), "x" * 2_000_000],
    ids=lambda value: f"a {type(value).__name__}",
)
async def test_what_cannot_be_kept_is_not(cache: RedisCache, value: object, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert not await cache.set("k", value)
    assert _done(cache) == {"set rejected": 3}
    assert len(caplog.records) == 1
    assert await cache.get("k") is None


async def test_what_someone_else_has_written_is_not_there(cache: RedisCache, client: Any, name: str) -> None:
    await client.set(f"{name}:k", b"\xff no json")
    assert await cache.get("k") is None
    assert _done(cache) == {"get miss": 1}


async def test_a_key_of_another_kind_is_an_error_and_no_reason_to_rest(
    cache: RedisCache, client: Any, name: str
) -> None:
    await client.lpush(f"{name}:list", 1)
    assert await cache.get("list") is None
    assert await cache.set("k", 1)
    assert _done(cache) == {"get error": 1, "set success": 1}


async def test_invalidation_forgets_and_counts_what_there_was(cache: RedisCache) -> None:
    keys = [str(number) for number in range(CHUNK + 5)]
    for key in keys:
        await cache.set(key, key)
    assert await cache.invalidate(*keys, "never there") == len(keys)
    assert await cache.get("0") is None
    stats = await cache.stats()
    assert stats.invalidated == len(keys)
    assert await cache.invalidate() == 0


async def test_warming_up_keeps_and_counts(cache: RedisCache) -> None:
    assert await cache.warm_up({"a": 1, "b": [2], "c": object()}) == 2
    assert await cache.get("b") == [2]
    assert _done(cache) == {"warm_up success": 2, "warm_up rejected": 1, "get hit": 1}
    assert (await cache.stats()).warmed_up == 2


async def test_the_statistics_are_those_of_the_report(cache: RedisCache, client: Any, name: str) -> None:
    assert (await cache.stats()).hit_rate is None
    await cache.set("k", 1)
    for key in ("k", "k", "k", "missing"):
        await cache.get(key)
    stats = (await get_cache_stats())[name]
    assert (stats.hit_rate, stats.hits, stats.misses, stats.errors) == (0.75, 3, 1, 0)
    assert (stats.size, stats.evictions, stats.memory_limit) == (1, 0, 0)
    assert stats.memory is not None
    assert stats.memory > 100_000


async def test_evictions_are_told(redis_server: Server, connect: Connect, name: str) -> None:
    async with connect(redis_server.url) as client:
        await client.config_set("maxmemory", "3mb")
        await client.config_set("maxmemory-policy", "allkeys-lru")
        cache = RedisCache(client, name)
        for number in range(60):
            await cache.set(str(number), "x" * 100_000)
        stats = await cache.stats()
    assert stats.evictions is not None
    assert stats.evictions > 0
    assert stats.memory_limit == 3 * 1024 * 1024


async def test_a_full_redis_costs_the_entry_alone(redis_server: Server, connect: Connect, name: str) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name)
        await cache.set("k", 1)
        await client.config_set("maxmemory", "1mb")  # less than it uses, and nothing may be evicted
        assert not await cache.set("other", 2)
        assert await cache.get("k") == 1


async def test_a_redis_that_hangs_costs_its_timeout_once(redis_server: Server, connect: Connect, name: str) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name, timeout=0.2)
        await cache.set("k", 1)
        redis_server.pause()
        began = time.monotonic()
        for _ in range(50):
            assert await cache.get("k") is None
        assert time.monotonic() - began < 0.2 + 0.8  # the rest is what a busy machine may take
        assert _done(cache) == {"set success": 1, "get error": 50}
        assert (await cache.stats()).memory is None
        redis_server.resume()


async def test_a_redis_that_has_come_back_is_used_again_and_mixes_nothing_up(
    redis_server: Server, connect: Connect, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mita_otel.cache.gate.PAUSE", 0.0)
    async with connect(redis_server.url) as client:
        cache, slow = RedisCache(client, name, timeout=0.02), RedisCache(client, name, timeout=30)
        keys = [str(number) for number in range(20)]
        assert await slow.warm_up({key: key for key in keys}) == len(keys)
        for _ in range(3):
            redis_server.pause()
            await asyncio.gather(*(cache.get(key) for key in keys))
            redis_server.resume()
            # An answer that came too late must not be taken for the next question's.
            found = await asyncio.gather(*(cache.get(key) for key in keys))
            assert all(value in {None, key} for key, value in zip(keys, found, strict=True))
        assert await asyncio.gather(*(slow.get(key) for key in keys)) == keys


async def test_a_redis_that_is_away_and_comes_back(redis_server: Server, connect: Connect, name: str) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name)
        redis_server.stop()
        assert not await cache.set("k", 1)
        assert await cache.invalidate("k") is None
        redis_server.start()
        began = time.monotonic()

        async with asyncio.timeout(10):
            while not await cache.set("k", 1):  # noqa: ASYNC110 - Redis has no event for that
                await asyncio.sleep(0.01)
        assert time.monotonic() - began >= PAUSE / 2
        assert await cache.get("k") == 1


async def test_it_is_asked_once_for_all_while_it_is_away(redis_server: Server, connect: Connect, name: str) -> None:
    async with connect(redis_server.url) as client:
        cache = RedisCache(client, name)
        await cache.set("k", 1)
        redis_server.kill()
        await cache.get("k")
        await asyncio.gather(*(cache.get("k") for _ in range(1000)))
    assert _done(cache)["get error"] == 1001


def test_a_client_that_blocks_is_refused(redis_url: str, name: str) -> None:
    with redis.Redis.from_url(redis_url) as client, pytest.raises(TypeError, match="asyncio"):
        RedisCache(client, name)


@pytest.mark.parametrize("wrong", [{"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}, {"ttl": 1e12}, {"timeout": 0}])
def test_what_is_not_allowed_is_told_at_once(client: Any, name: str, wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.* is not allowed"):
        RedisCache(client, name, **wrong)


async def test_names_without_end_are_counted_together(client: Any) -> None:
    for number in range(CACHES_AT_MOST + 20):
        await RedisCache(client, f"c{number}").get("k")
    stats = await get_cache_stats()
    assert len(stats) == CACHES_AT_MOST
    last = RedisCache(client, "one-more")
    assert last._counts.name == "other"
    assert (await last.stats()).misses == 20


async def test_a_cache_can_be_used_from_several_loops(client: Any, redis_url: str, name: str) -> None:
    cache = RedisCache(client, name)
    await cache.set("k", 1)

    async def elsewhere() -> Any:
        async with redis.asyncio.Redis.from_url(redis_url) as own:
            return await RedisCache(own, name).get("k")

    assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == 1
