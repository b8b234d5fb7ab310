"""Libraries that reach one database measure into one series: Prometheus refuses two values of one at one time."""

from collections import Counter
from typing import Any

import asyncpg
import httpx
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from mita_otel.libraries import asyncpg as asyncpg_instrumentation
from mita_otel.libraries import httpx as httpx_instrumentation
from mita_otel.libraries import redis as redis_instrumentation
from mita_otel.libraries import sqlalchemy as sqlalchemy_instrumentation
from mita_otel.stack.databases import Server
from tests.unit.libraries.recording import Recording


def _async_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


def _timeouts(recording: Recording) -> dict[str, float]:
    return {attributes["scope"]: value for attributes, value in recording.points("mita.timeouts") if value}


async def _use_both(url: str) -> None:
    engine = create_async_engine(_async_url(url))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        await pool.fetch("SELECT 1")
        await engine.dispose()


@pytest.mark.parametrize(
    "metric", ["db.client.operation.duration", "db.client.connection.wait_time", "db.client.connection.count"]
)
async def test_sqlalchemy_and_asyncpg_on_one_database_make_no_series_twice(
    postgres_url: str, recording: Recording, metric: str
) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    await _use_both(postgres_url)
    series = Counter(tuple(sorted(attributes.items())) for attributes, _ in recording.points(metric))
    assert set(series.values()) == {1}


async def test_both_libraries_count_into_the_shared_series(postgres_url: str, recording: Recording) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    await _use_both(postgres_url)
    [(attributes, count)] = recording.points("db.client.operation.duration")
    assert (attributes["db.namespace"], count) == (make_url(postgres_url).database, 2)


async def test_a_statement_that_runs_into_its_timeout_is_counted(postgres_url: str, recording: Recording) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(_async_url(postgres_url))
    async with engine.connect() as connection:
        await connection.execute(text("SET statement_timeout = 20"))
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT pg_sleep(5)"))
    await engine.dispose()
    assert _timeouts(recording) == {"database": 1}


async def test_a_wait_for_a_connection_that_is_given_up_is_counted(postgres_url: str, recording: Recording) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(_async_url(postgres_url), pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with engine.connect():
        with pytest.raises(PoolTimeoutError):
            await engine.connect()
    await engine.dispose()
    assert _timeouts(recording) == {"pool": 1}


def test_a_redis_that_does_not_answer_is_counted(redis_server: Server, recording: Recording) -> None:
    redis_instrumentation.instrument(recording.telemetry)
    never: Any = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    with redis.Redis.from_url(redis_server.url, socket_timeout=0.05, retry=never) as client:
        client.ping()
        redis_server.pause()
        with pytest.raises(redis.TimeoutError):
            client.get("a")
        redis_server.resume()
    assert _timeouts(recording) == {"cache": 1}


def test_a_host_that_does_not_answer_is_counted(recording: Recording, redis_server: Server) -> None:
    httpx_instrumentation.instrument(recording.telemetry)
    redis_server.pause()  # takes the connection and says nothing
    with httpx.Client(trust_env=False, timeout=0.05) as client, pytest.raises(httpx.TimeoutException):
        client.get(f"http://127.0.0.1:{redis_server.port}/")
    redis_server.resume()
    assert _timeouts(recording) == {"external": 1}
