"""What is said of a service in each of many conditions, on real servers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy, Registry
from mita_otel.health import Check, Health, Level, Reading, checks
from mita_otel.health.checks.system import Limits
from mita_otel.stack.databases import Server

H, D, C, U = Level


@pytest.fixture
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


async def judged(*looked_at: Check, fail_ready_on: Sequence[str] = ()) -> tuple[Level, bool]:
    """Return the level of a service that is looked at, and whether it is ready."""
    async with Health(looked_at, fail_ready_on=fail_ready_on).running() as health:
        return health.level, health.readiness.is_ready


async def fails() -> Sequence[Reading]:
    raise ConnectionError


async def critical() -> Sequence[Reading]:
    return [Reading("queue", 1, level=C)]


@dataclass
class Slowly:
    """Stops a server while it is looked at."""

    server: Server
    seconds: float

    async def __aenter__(self) -> None:
        self.server.pause()
        asyncio.get_running_loop().call_later(self.seconds, self.server.resume)

    async def __aexit__(self, *_: object) -> None:
        self.server.resume()


async def test_everything_works(engine: AsyncEngine, client: Any) -> None:
    easy = Limits(cpu=101, memory=101, memory_left=0, disk=101, disk_left=0, load=1000)
    everything = [
        checks.database(engine),
        checks.redis(client),
        checks.system(easy),
        checks.application(),
        checks.breakers(Registry()),
    ]
    assert await judged(*everything) == (H, True)


async def test_a_database_that_is_slow(postgres_server: Server) -> None:
    engine = create_async_engine(postgres_server.url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    async with Slowly(postgres_server, 0.3):
        assert await judged(checks.database(engine, slow=0.2, timeout=10)) == (D, True)
    await engine.dispose()


@pytest.mark.parametrize(("fail_ready_on", "ready"), [((), True), (("database",), False)])
async def test_a_database_that_is_down(postgres_server: Server, fail_ready_on: Sequence[str], ready: bool) -> None:  # noqa: FBT001 - a row of the table
    engine = create_async_engine(postgres_server.url.replace("postgresql://", "postgresql+asyncpg://"))
    postgres_server.stop()
    assert await judged(checks.database(engine), fail_ready_on=fail_ready_on) == (U, ready)
    await engine.dispose()


async def test_a_database_that_hangs(postgres_server: Server) -> None:
    engine = create_async_engine(postgres_server.url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    postgres_server.pause()
    began = time.monotonic()
    assert await judged(checks.database(engine, slow=0.1, timeout=0.5)) == (U, True)
    assert time.monotonic() - began < 5
    postgres_server.resume()
    await engine.dispose()


async def test_a_transaction_that_is_stuck(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        assert await judged(checks.database(engine, long_transaction=0)) == (D, True)
        assert await judged(checks.database(engine)) == (H, True)


async def test_a_pool_that_has_nothing_left_to_give(postgres_url: str) -> None:
    address = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(address, pool_size=1, max_overflow=0, pool_timeout=30)
    async with engine.connect():
        assert await judged(checks.database(engine, slow=0.1, timeout=0.3)) == (U, True)
    await engine.dispose()


async def test_a_redis_that_is_slow(redis_server: Server) -> None:
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        await client.ping()
        async with Slowly(redis_server, 0.3):
            assert await judged(checks.redis(client, slow=0.2, timeout=10)) == (D, True)


async def test_a_redis_that_is_down(redis_server: Server) -> None:
    redis_server.stop()
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        assert await judged(checks.redis(client, timeout=1)) == (U, True)


async def test_a_redis_that_hangs(redis_server: Server) -> None:
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        await client.ping()
        redis_server.pause()
        assert await judged(checks.redis(client, slow=0.1, timeout=0.3)) == (U, True)
        redis_server.resume()


async def test_a_redis_that_is_full(redis_server: Server) -> None:
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        used = (await client.info("memory"))["used_memory"]
        await client.config_set("maxmemory", int(used * 1.05))
        level, ready = await judged(checks.redis(client))
    assert (level in {D, U}, ready) == (True, True)


async def test_a_redis_that_takes_nothing(redis_server: Server) -> None:
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        await client.replicaof("127.0.0.1", 1)
        assert await judged(checks.redis(client)) == (U, True)


@pytest.mark.parametrize(
    "short_of",
    [
        pytest.param(Limits(cpu=-1), id="cpu"),
        pytest.param(Limits(memory=0), id="memory"),
        pytest.param(Limits(memory_left=1e18), id="memory left"),
        pytest.param(Limits(disk=-1), id="disk"),
        pytest.param(Limits(disk_left=1e18), id="disk left"),
        pytest.param(Limits(load=-1), id="load"),
    ],
)
async def test_a_host_that_is_short_of_something_still_gets_requests(short_of: Limits) -> None:
    assert await judged(checks.system(short_of)) == (D, True)


async def test_a_breaker_that_is_open() -> None:
    registry = Registry()
    breaker = CircuitBreaker("openai", Policy(failure_threshold=1), registry=registry)
    with pytest.raises(ConnectionError):
        await breaker(fails)()
    with pytest.raises(CircuitOpenError):
        await breaker(fails)()
    assert await judged(checks.breakers(registry)) == (D, True)


async def test_debugging_in_production() -> None:
    assert await judged(checks.application(environment="production", debug=True)) == (D, True)


async def test_settings_that_do_not_fit() -> None:
    assert await judged(checks.application(problems=lambda: ["JWT_SECRET is not set"])) == (D, True)


async def test_several_critical_components() -> None:
    assert await judged(Check("one", critical), Check("two", critical, is_vital=True)) == (C, True)


async def test_something_of_its_own_that_it_cannot_do_without() -> None:
    assert await judged(Check("licence", fails, is_vital=True)) == (U, False)


async def test_something_that_it_can_do_without() -> None:
    assert await judged(Check("thumbnails", fails)) == (U, True)


async def test_something_that_flaps() -> None:
    looks = iter([True, False] * 50)

    async def flaps() -> Sequence[Reading]:
        if next(looks):
            return ()
        raise ConnectionError

    async with Health([Check("flapping", flaps)], interval=0.1).running() as health:
        await until(lambda: len(health.histories["flapping"].entries) >= 6)
        history = health.histories["flapping"]
        assert history.stability == 0
        assert 0.4 <= history.alert_frequency <= 0.6


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of the test
            await asyncio.sleep(0.01)
