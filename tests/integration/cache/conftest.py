"""Caches on a real Redis, and what they report."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import redis.asyncio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.cache import statistics

Points = Callable[[], dict[str, dict[tuple[Any, ...], Any]]]


@pytest.fixture
def name() -> str:
    """The name of a cache that no other test has counted for."""
    return f"c{uuid.uuid4().hex}"


@pytest.fixture(autouse=True)
def _registered_anew() -> Iterator[None]:
    yield
    statistics._counts.clear()
    statistics._askers.clear()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def connect() -> Callable[[str], Any]:
    """Make a client that does not try again by itself."""
    return lambda url: redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def provider() -> Iterator[MeterProvider]:
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    yield provider
    provider.shutdown()
