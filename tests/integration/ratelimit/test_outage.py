"""Redis goes away, hangs, flaps, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mita_otel.ratelimit import Limiter
from mita_otel.ratelimit.flights import PATIENCE
from mita_otel.ratelimit.redis import BEAT, RedisWindows
from mita_otel.ratelimit.window import Terms
from mita_otel.stack.databases import Server
from tests.fixtures.polling import eventually_async
from tests.integration.ratelimit.conftest import Connect, MakeLimiter, ask, policy, results

LARGEST = 1_000_000

TURNS = 2 * (PATIENCE + 1)
"""Turns of the event loop that a request may see before it goes on without Redis; each may be held up."""


@pytest.fixture(params=["kill", "pause"])
def take_away(request: pytest.FixtureRequest, redis_own: Server) -> Callable[[], None]:
    """Let Redis refuse connections, or hang with its connections open."""
    gone: Callable[[], None] = getattr(redis_own, request.param)
    return gone


async def test_what_is_open_stays_so(
    connect: Connect, limiter: MakeLimiter, redis_own: Server, take_away: Callable[[], None]
) -> None:
    made = limiter(connect(redis_own.url), policy(quota=2, on_failure="open"))
    assert await results(made, 3) == ["allowed", "allowed", "blocked"]
    take_away()
    assert await results(made, 20) == ["fallback_allowed"] * 20
    assert made.state() == "down"


async def test_what_is_closed_admits_nobody_and_says_when_redis_is_asked_again(
    connect: Connect, limiter: MakeLimiter, redis_own: Server, take_away: Callable[[], None]
) -> None:
    made = limiter(connect(redis_own.url), policy(on_failure="closed"), policy(name="open", on_failure="open"))
    assert await results(made, 1) == ["allowed"]
    take_away()
    assert await results(made, 5) == ["fallback_blocked"] * 5
    [verdict] = await ask(made)
    assert verdict.decision is not None
    assert 0 < verdict.decision.retry_in <= 1000


async def test_what_is_local_goes_on_with_this_replicas_share_and_what_it_has_given_already(
    connect: Connect, limiter: MakeLimiter, redis_own: Server, take_away: Callable[[], None]
) -> None:
    client = connect(redis_own.url)
    for _ in range(3):
        await RedisWindows(client, "mita-ratelimit", 1).take(["other"], [Terms(1, 1000)], 1)
    made = limiter(client, policy(quota=10))
    assert await results(made, 2) == ["allowed"] * 2
    assert made.replicas() == 4
    take_away()
    # ceil(10 / 4) is 3, of which 2 are given.
    assert await results(made, 3) == ["fallback_allowed", "fallback_blocked", "fallback_blocked"]
    assert await results(made, 4, client="198.51.100.1") == [*["fallback_allowed"] * 3, "fallback_blocked"]


async def test_replicas_that_have_seen_each_other_exceed_a_quota_by_less_than_one_request_each(
    connect: Connect, limiter: MakeLimiter, redis_own: Server
) -> None:
    replicas = [limiter(connect(redis_own.url), policy(quota=10)) for _ in range(3)]
    for made in [*replicas, *replicas]:
        # The second time round every one has been there when all were, which is asked every 5 s.
        made._redis._beaten_at -= BEAT  # type: ignore[union-attr]
        await ask(made, "198.51.100.1")
    assert [made.replicas() for made in replicas] == [3, 3, 3]
    redis_own.kill()
    allowed = [(await results(made, 20)).count("fallback_allowed") for made in replicas]
    assert allowed == [4, 4, 4]
    assert sum(allowed) < 10 + len(replicas)


async def test_who_starts_while_redis_is_away_divides_by_what_was_set(
    connect: Connect, limiter: MakeLimiter, redis_own: Server
) -> None:
    redis_own.kill()
    made = limiter(connect(redis_own.url), policy(quota=10), MITA_RATE_LIMIT_REPLICAS="5")
    assert (await results(made, 5)).count("fallback_allowed") == 2


async def test_all_share_again_once_redis_is_back(
    connect: Connect, limiter: MakeLimiter, redis_own: Server, take_away: Callable[[], None]
) -> None:
    made = limiter(connect(redis_own.url), policy(quota=LARGEST))
    take_away()
    assert (await results(made, 1)) == ["fallback_allowed"]
    redis_own.resume()
    redis_own.start()

    async def is_shared() -> bool:
        return await results(made, 1) == ["allowed"]

    await eventually_async(is_shared, timeout=10)
    assert made.state() == "up"


@asynccontextmanager
async def _lag() -> AsyncIterator[Callable[[], float]]:
    """Tell the longest time for which the event loop was held up: that is the machine's, not Redis's."""
    longest, ended = 0.0, False

    async def watch() -> None:
        nonlocal longest
        while not ended:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)

    watching = asyncio.create_task(watch())
    yield lambda: longest
    ended = True
    await watching


async def _load(limiter: Limiter, until: Callable[[], bool]) -> tuple[set[Any], float]:
    """Send requests from fifty clients at a time; return how they were counted, and the longest that one took."""
    found: set[Any] = set()
    longest = 0.0

    async def client(number: int) -> None:
        nonlocal longest
        while not until():
            began = time.perf_counter()
            [verdict] = await ask(limiter, f"198.51.100.{number}")
            longest = max(longest, time.perf_counter() - began)
            found.add(verdict.result)
            await asyncio.sleep(0.005)

    await asyncio.gather(*(client(number) for number in range(50)))
    return found, longest


async def test_no_request_waits_longer_for_a_redis_that_goes_away_under_load_than_the_setting_says(
    connect: Connect, limiter: MakeLimiter, redis_own: Server, take_away: Callable[[], None]
) -> None:
    made = limiter(connect(redis_own.url), policy(quota=LARGEST), MITA_RATE_LIMIT_TIMEOUT="0.05")
    await made.introduce()
    began = time.monotonic()
    asyncio.get_running_loop().call_later(0.5, take_away)
    async with _lag() as lag:
        found, longest = await _load(made, lambda: time.monotonic() - began > 3)
    assert found == {"allowed", "fallback_allowed"}
    assert longest <= 0.1 + TURNS * lag()


async def test_a_redis_that_flaps_every_second_costs_no_request_more(
    connect: Connect, limiter: MakeLimiter, redis_own: Server
) -> None:
    made = limiter(connect(redis_own.url), policy(quota=LARGEST), MITA_RATE_LIMIT_TIMEOUT="0.05")
    await made.introduce()
    loop, began = asyncio.get_running_loop(), time.monotonic()
    for second in range(4):
        loop.call_later(second + 0.2, redis_own.pause)
        loop.call_later(second + 0.7, redis_own.resume)
    async with _lag() as lag:
        found, longest = await _load(made, lambda: time.monotonic() - began > 4)
    assert found == {"allowed", "fallback_allowed"}
    assert longest <= 0.1 + TURNS * lag()
