"""Pools of redis-py that have no connection left: the wait is measured, giving up is counted."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from mita_otel.libraries import redis as instrumentation
from tests.unit.libraries.recording import Recording

AT_ONCE = Retry(NoBackoff(), 3)
"""Tries again without seconds between."""


@pytest.fixture(autouse=True)
def _instrumented(recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)


@pytest.fixture
def pool_name(redis_url: str) -> dict[str, str]:
    parts = urlsplit(redis_url)
    return {
        "db.client.connection.pool.name": f"{parts.hostname}:{parts.port}{parts.path}",
        "db.system.name": "redis",
    }


def _timeouts(recording: Recording) -> dict[str, float]:
    return {attributes["scope"]: value for attributes, value in recording.points("mita.timeouts") if value}


def test_a_pool_that_waits_is_measured(redis_url: str, recording: Recording, pool_name: dict[str, str]) -> None:
    pool = redis.BlockingConnectionPool.from_url(redis_url, max_connections=1, timeout=5)
    with redis.Redis.from_pool(pool) as client, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: client.ping(), range(8)))
    assert recording.points("db.client.connection.wait_time") == [(pool_name, 8)]
    assert _timeouts(recording) == {}


async def test_an_asynchronous_one_too(redis_url: str, recording: Recording, pool_name: dict[str, str]) -> None:
    pool: Any = redis.asyncio.BlockingConnectionPool.from_url(redis_url, max_connections=1, timeout=5)
    async with redis.asyncio.Redis.from_pool(pool) as client:
        await asyncio.gather(*(client.ping() for _ in range(8)))
    assert recording.points("db.client.connection.wait_time") == [(pool_name, 8)]


def test_a_pool_that_does_not_wait_is_not_measured(redis_url: str, recording: Recording) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.ping()
    assert recording.points("db.client.connection.wait_time") == []


@pytest.mark.parametrize("kind", [redis.ConnectionPool, redis.BlockingConnectionPool])
def test_a_pool_without_a_connection_is_counted(
    redis_url: str, recording: Recording, pool_name: dict[str, str], kind: Any
) -> None:
    options = {"timeout": 0.02} if kind is redis.BlockingConnectionPool else {}
    pool = kind.from_url(redis_url, max_connections=1, **options)
    held = pool.get_connection()
    with redis.Redis.from_pool(pool) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    pool.release(held)
    assert recording.points("db.client.connection.timeouts") == [(pool_name, 1)]
    assert _timeouts(recording) == {"pool": 1}


@pytest.mark.parametrize("kind", [redis.asyncio.ConnectionPool, redis.asyncio.BlockingConnectionPool])
async def test_an_asynchronous_pool_without_a_connection_is_counted(
    redis_url: str, recording: Recording, pool_name: dict[str, str], kind: Any
) -> None:
    options = {"timeout": 0.02} if kind is redis.asyncio.BlockingConnectionPool else {}
    pool = kind.from_url(redis_url, max_connections=1, **options)
    held = await pool.get_connection()
    async with redis.asyncio.Redis.from_pool(pool) as client:
        with pytest.raises(redis.ConnectionError):
            await client.ping()
        await pool.release(held)
    assert recording.points("db.client.connection.timeouts") == [(pool_name, 1)]


def test_a_server_that_is_away_is_no_shortage(recording: Recording, free_port: int) -> None:
    with redis.Redis(port=free_port, retry=AT_ONCE) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    assert recording.points("db.client.connection.timeouts") == []


def test_undone_it_leaves_the_pools_as_they_were() -> None:
    instrumentation.instrument.undo()
    assert "libraries/redis" not in redis.BlockingConnectionPool.get_connection.__code__.co_filename
