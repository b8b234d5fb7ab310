"""What a cache's server says of itself: told by one process, and never at a collection's cost."""

import gc
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis.asyncio
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.cache import RedisCache, server, statistics
from mita_otel.cache.server import Servers
from mita_otel.stack.databases import Server
from tests.fixtures.polling import eventually

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process holds the lease, and says so")

_HOLDER = """
import sys
from mita_otel.metrics.host import HostLease
service, port = sys.argv[1:]
print(HostLease(f"{service}\\0cache\\0{('127.0.0.1', int(port))}").held(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def told(reader: InMemoryMetricReader) -> Callable[[], dict[str, list[tuple[dict[str, Any], Any]]]]:
    """What a collection tells, by metric."""

    def read() -> dict[str, list[tuple[dict[str, Any], Any]]]:
        data = reader.get_metrics_data()
        return {
            metric.name: [
                (dict(point.attributes or {}), getattr(point, "value", None)) for point in metric.data.data_points
            ]
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    return read


@pytest.fixture
def servers() -> Servers:
    """Those of a service that no other test has."""
    return Servers(uuid.uuid4().hex)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 3.0)


def _client(url: str) -> Any:
    return redis.asyncio.Redis.from_url(url, decode_responses=True)


def test_size_and_evictions_are_told_once_for_a_server(
    servers: Servers, provider: MeterProvider, redis_server: Server, told: Callable[[], dict[str, Any]]
) -> None:
    one, other = _client(redis_server.url), _client(redis_server.url_of("1"))
    for client in (one, other):
        servers.add(client.connection_pool, provider)
    found = told()
    where = {"server.address": "127.0.0.1", "server.port": redis_server.port}
    [(attributes, size)] = found["mita.cache.size"]
    assert attributes == where
    assert size > 100_000
    assert found["mita.cache.evictions"] == [(where, 0)]


def test_of_a_server_that_is_away_nothing_is_told_and_no_collection_waits(
    servers: Servers,
    provider: MeterProvider,
    redis_server: Server,
    told: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = _client(redis_server.url)
    servers.add(client.connection_pool, provider)
    redis_server.pause()
    monkeypatch.setattr(server, "PATIENCE", 0.1)
    began = time.monotonic()
    assert told() == {}
    assert time.monotonic() - began < 1
    redis_server.resume()
    eventually(lambda: "mita.cache.size" in told())


def test_the_server_of_a_client_that_has_gone_is_not_asked_any_more(
    servers: Servers, provider: MeterProvider, redis_server: Server, told: Callable[[], dict[str, Any]]
) -> None:
    client = _client(redis_server.url)
    servers.add(client.connection_pool, provider)
    assert "mita.cache.size" in told()
    del client
    gc.collect()
    assert told() == {}


@linux
def test_a_second_process_of_the_service_tells_nothing(
    provider: MeterProvider, redis_server: Server, told: Callable[[], dict[str, Any]]
) -> None:
    service = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, service, str(redis_server.port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        client = _client(redis_server.url)
        Servers(service).add(client.connection_pool, provider)
        assert told() == {}
        other.kill()
        other.wait()
        eventually(lambda: "mita.cache.size" in told())


def test_a_pool_behind_sentinel_is_left_alone(servers: Servers, provider: MeterProvider) -> None:
    sentinel: Any = redis.asyncio.Sentinel([("127.0.0.1", 1)])  # type: ignore[no-untyped-call] # nor are its methods
    servers.add(sentinel.master_for("cache").connection_pool, provider)
    servers.add(None, provider)
    assert servers._looks == {}


async def test_operations_are_reported_from_zero(
    provider: MeterProvider, client: Any, name: str, told: Callable[[], dict[str, Any]]
) -> None:
    statistics.observe(provider)
    statistics.observe(provider)
    cache = RedisCache(client, name)
    found = told()
    assert {value for _, value in found["mita.cache.operations"]} == {0}
    await cache.set("k", 1)
    await cache.get("k")
    await cache.invalidate("k")
    await cache.warm_up({"k": 1})
    found = told()
    done = {(a["operation"], a["status"]) for a, value in found["mita.cache.operations"] if value == 1}
    assert done == {("set", "success"), ("get", "hit"), ("invalidate", "success"), ("warm_up", "success")}
    assert found["mita.cache.invalidations"] == found["mita.cache.warm_ups"] == [({"cache": name}, 1)]


async def test_the_hit_rate_of_the_process_is_told_once_somebody_has_looked(
    provider: MeterProvider, client: Any, name: str, told: Callable[[], dict[str, Any]]
) -> None:
    statistics.observe(provider)
    cache = RedisCache(client, name)
    assert "mita.cache.process.hit_rate" not in told()
    await cache.set("k", 1)
    for key in ("k", "k", "k", "other"):
        await cache.get(key)
    assert told()["mita.cache.process.hit_rate"] == [({"cache": name}, 0.75)]


def test_a_collection_reads_counts_that_change_meanwhile() -> None:
    for number in range(statistics.CACHES_AT_MOST):
        statistics.counts_of(f"c{number}")
    reading = iter(statistics._operations(CallbackOptions()))
    statistics.counts_of("one-more")
    assert len(list(reading)) == statistics.CACHES_AT_MOST * len(statistics._OUTCOMES)
