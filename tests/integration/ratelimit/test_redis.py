"""The script in Redis decides what the pure function decides, and in one round trip."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from mita_otel.ratelimit.limiter import PREFIX
from mita_otel.ratelimit.redis import BEAT, SCRIPT, RedisWindows
from mita_otel.ratelimit.window import LARGEST_QUOTA, LONGEST_WINDOW, Terms, Window, judge
from tests.integration.libraries.test_redis_cluster import cluster
from tests.integration.ratelimit.conftest import Connect, MakeLimiter, ask, policy, results

__all__ = ["cluster"]

TERMS = st.builds(
    Terms,
    limit=st.one_of(st.integers(1, 20), st.integers(1, LARGEST_QUOTA)),
    length=st.one_of(st.integers(1, 5_000), st.integers(1, LONGEST_WINDOW * 1000)),
)
KEPT = st.tuples(st.floats(-1.5, 3), st.floats(0, 1), st.floats(0, 1))
"""How many lengths ago a window began, and the shares of the quota that were counted before it and in it."""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.lists(st.tuples(st.none() | KEPT, TERMS), min_size=1, max_size=4), cost=st.integers(1, 3))
async def test_the_script_decides_what_the_pure_function_does(
    connect: Connect, redis_url: str, kept: list[tuple[tuple[float, float, float] | None, Terms]], cost: int
) -> None:
    client = connect(redis_url)
    now = int(time.time() * 1000)
    windows = [
        None if each is None else Window(now - int(each[0] * length), int(each[1] * limit), int(each[2] * limit))
        for each, (limit, length) in kept
    ]
    keys = [f"{{t}}:{number}" for number in range(len(windows))]
    for key, window in zip(keys, windows, strict=True):
        await (client.delete(key) if window is None else client.set(key, " ".join(map(str, window))))
    terms = [each for _, each in kept]
    flat = [number for each in terms for number in each]
    text = await client.eval(SCRIPT, 1 + len(keys), "{t}:replicas", *keys, "", 60_000, cost, len(keys), *flat)
    await client.aclose()

    answer = [int(number) for number in text.split()]
    held, decisions = judge(windows, answer[0], cost, terms)
    found = [answer[2 + 4 * number : 6 + 4 * number] for number in range(len(keys))]
    assert [bool(fits) for fits, *_ in found] == [decision.is_allowed for decision in decisions]
    assert [Window(*window) for _, *window in found] == held


async def test_a_request_with_several_policies_is_one_round_trip(
    connect: Connect, limiter: MakeLimiter, redis_url: str
) -> None:
    client = connect(redis_url)
    made = limiter(client, *(policy(name=f"p{number}") for number in range(4)))
    await ask(made)
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    for _ in range(10):
        assert len(await ask(made)) == 4
    assert (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before == 10


async def test_limits_would_take_eight(connect: Connect, redis_url: str) -> None:
    """Why its strategy is not what decides: a round trip for each answer, and one more for each header."""
    storage = RedisStorage(f"async+{redis_url}", implementation="redispy")
    theirs, item = SlidingWindowCounterRateLimiter(storage), RateLimitItemPerSecond(10, 60)
    client = connect(redis_url)

    async def round_trips() -> int:
        return int((await client.info("commandstats"))["cmdstat_evalsha"]["calls"])

    await theirs.hit(item, "warm")
    await theirs.get_window_stats(item, "warm")
    before = await round_trips()
    for number in range(4):
        await theirs.hit(item, str(number))
        await theirs.get_window_stats(item, str(number))
    assert await round_trips() - before == 8
    await storage.bridge.get_connection().aclose()  # type: ignore[attr-defined] # redis-py's


async def test_a_burst_gets_what_limits_gives_it(connect: Connect, limiter: MakeLimiter, redis_url: str) -> None:
    storage = RedisStorage(f"async+{redis_url}", implementation="redispy")
    theirs, item = SlidingWindowCounterRateLimiter(storage), RateLimitItemPerSecond(10, 60)
    made = limiter(connect(redis_url), policy())
    ours = [result == "allowed" for result in await results(made, 15)]
    assert ours == [await theirs.hit(item, "x") for _ in range(15)]
    await storage.bridge.get_connection().aclose()  # type: ignore[attr-defined] # redis-py's


async def test_a_server_that_has_forgotten_the_script_learns_it_again(
    connect: Connect, limiter: MakeLimiter, redis_url: str
) -> None:
    client = connect(redis_url)
    made = limiter(client, policy(quota=3))
    assert await results(made, 2) == ["allowed", "allowed"]
    await client.script_flush()
    assert await results(made, 2) == ["allowed", "blocked"]


async def test_what_is_kept_ends_with_its_second_window_and_tells_nobodys_address(
    connect: Connect, limiter: MakeLimiter, redis_url: str
) -> None:
    client = connect(redis_url)
    await ask(limiter(client, policy(window=7)))
    keys = [key.decode() for key in await client.keys("*")]
    [key] = [key for key in keys if not key.endswith(":replicas")]
    assert key.startswith(f"{{{PREFIX}}}:x:")
    assert 0 < await client.pttl(key) <= 14_000
    assert not any("203.0.113.9" in key for key in keys)


@pytest.mark.parametrize("garbage", [b"", b"1 2", b"x y z", b"-1 -2 -3", b"9" * 400, b"1 " + b"9" * 400 + b" 1"])
async def test_a_key_that_holds_something_else_is_an_empty_window(
    connect: Connect, limiter: MakeLimiter, redis_url: str, garbage: bytes
) -> None:
    client = connect(redis_url)
    made = limiter(client, policy(quota=1))
    await ask(made)
    for key in await client.keys("*:x:*"):
        await client.set(key, garbage)
    assert await results(made, 2) == ["allowed", "blocked"]


async def test_two_replicas_share_a_quota_and_two_services_do_not(
    connect: Connect, limiter: MakeLimiter, redis_url: str
) -> None:
    client = connect(redis_url)
    replicas = [limiter(client, policy(quota=3)) for _ in range(2)]
    assert [await results(each, 2) for each in replicas] == [["allowed", "allowed"], ["allowed", "blocked"]]
    other = RedisWindows(client, "another-service", 1)
    [decision], _ = await other.take(["x:client"], [Terms(1, 1000)], 1)
    assert decision.is_allowed


async def _seen(replica: RedisWindows) -> int | None:
    return (await replica.take(["x"], [Terms(9, 1000)], 1)).replicas


async def test_each_replica_says_that_it_is_there_and_how_many_are(connect: Connect, redis_url: str) -> None:
    client = connect(redis_url)
    replicas = [RedisWindows(client, "p", 1) for _ in range(5)]
    assert [await _seen(each) for each in replicas] == [1, 2, 3, 4, 5]
    assert await _seen(replicas[0]) is None
    replicas[0]._beaten_at -= BEAT
    assert await _seen(replicas[0]) == 5


async def test_a_replica_that_has_been_silent_for_a_minute_is_gone(connect: Connect, redis_url: str) -> None:
    client = connect(redis_url)
    now = time.time() * 1000
    await client.zadd("{p}:replicas", {"gone": now - 61_000, "there": now - 50_000})
    assert await _seen(RedisWindows(client, "p", 1)) == 2


async def test_two_hundred_requests_at_once_get_exactly_the_quota(
    connect: Connect, limiter: MakeLimiter, redis_url: str
) -> None:
    made = limiter(connect(redis_url), policy(quota=70))
    await ask(made, "198.51.100.1")  # so that the script is there, and a connection
    verdicts = await asyncio.gather(*(ask(made) for _ in range(200)))
    found: list[Any] = [verdict.result for [verdict] in verdicts]
    assert (found.count("allowed"), found.count("blocked")) == (70, 130)


async def test_a_cluster_keeps_what_is_decided_together_on_one_node(cluster: int) -> None:
    import redis.asyncio  # noqa: PLC0415 - as a type checker knows its constructor only so

    client: Any = redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster)
    async with client:
        windows = RedisWindows(client, f"p{time.time_ns()}", 10)
        terms = [Terms(1, 60_000), Terms(5, 60_000)]
        first, second = [await windows.take(["a", "b"], terms, 1) for _ in range(2)]
    assert [each.is_allowed for each in first.decisions] == [True, True]
    assert [(each.is_allowed, each.remaining) for each in second.decisions] == [(False, 0), (True, 4)]
