import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import redis.asyncio
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from redis.backoff import NoBackoff
from redis.retry import Retry

from mita_otel.libraries import redis as instrumentation
from mita_otel.libraries.redis import ARGUMENTS_SHOWN, COMMANDS_SHOWN
from tests.unit.libraries.recording import Recording

AT_ONCE = Retry(NoBackoff(), 3)
"""As often as by default, without seconds between."""


@pytest.fixture
def client(redis_url: str, recording: Recording) -> Iterator[redis.Redis]:
    """An instrumented client that has not connected yet."""
    instrumentation.instrument(recording.telemetry)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def async_client(redis_url: str, recording: Recording) -> AsyncIterator[Any]:
    """The same, asynchronous."""
    instrumentation.instrument(recording.telemetry)
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def common(redis_url: str) -> dict[str, Any]:
    """The attributes of every span."""
    parts = urlsplit(redis_url)
    return {
        "db.system.name": "redis",
        "db.namespace": parts.path[1:] or "0",
        "server.address": parts.hostname,
        "server.port": parts.port,
    }


def test_a_command_is_one_span_and_connecting_is_none(
    client: redis.Redis, recording: Recording, common: dict[str, Any]
) -> None:
    with recording.request():
        client.set("secret-key", "secret-value", ex=60)

    assert recording.tree() == ["request > SET"]
    [span] = recording.calls
    assert span.attributes == {**common, "db.operation.name": "SET", "db.query.text": "SET ? ? ? ?"}
    assert recording.points("db.client.operation.duration") == [({**common, "db.operation.name": "SET"}, 1)]


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_is_one_span(
    client: redis.Redis, recording: Recording, common: dict[str, Any], *, transaction: bool
) -> None:
    with recording.request(), client.pipeline(transaction=transaction) as pipeline:
        pipeline.set("a", "1")
        pipeline.get("a")
        pipeline.execute()

    assert recording.tree() == ["request > PIPELINE"]
    [span] = recording.calls
    assert span.attributes == {
        **common,
        "db.operation.name": "PIPELINE",
        "db.operation.batch.size": 2,
        "db.query.text": "SET ? ?\nGET ?",
    }


def test_a_long_pipeline_shows_its_beginning(client: redis.Redis, recording: Recording) -> None:
    with client.pipeline() as pipeline:
        for number in range(500):
            pipeline.get(str(number))
        pipeline.execute()

    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["db.operation.batch.size"] == 500
    assert str(span.attributes["db.query.text"]).split("\n") == ["GET ?"] * COMMANDS_SHOWN + ["...[500 commands]"]


def test_an_empty_pipeline_is_nothing(client: redis.Redis, recording: Recording) -> None:
    with client.pipeline() as pipeline:
        pipeline.execute()

    assert recording.finished == ()


def test_a_watched_read_is_a_span_of_its_own(client: redis.Redis, recording: Recording) -> None:
    with client.pipeline() as pipeline:
        pipeline.watch("a")  # type: ignore[no-untyped-call] # redis-py's own
        pipeline.get("a")
        pipeline.multi()
        pipeline.set("a", "1")
        pipeline.execute()

    assert recording.names == ["WATCH", "GET", "PIPELINE"]


def test_a_script_is_loaded_within_its_pipeline(client: redis.Redis, recording: Recording) -> None:
    script = client.register_script("return 1")
    with client.pipeline() as pipeline:
        script(client=pipeline)
        pipeline.execute()

    assert recording.names == ["PIPELINE"]


def test_a_command_with_many_arguments_shows_how_many(client: redis.Redis, recording: Recording) -> None:
    client.mset({str(number): number for number in range(100)})

    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["db.query.text"] == "MSET" + " ?" * ARGUMENTS_SHOWN + " ...[200 arguments]"


def test_free_text_in_the_place_of_a_command_names_nothing(client: redis.Redis, recording: Recording) -> None:
    with pytest.raises(redis.ResponseError):
        client.execute_command("user@example.org")  # type: ignore[no-untyped-call] # redis-py's own

    assert recording.names == ["OTHER"]


def test_an_error_ends_the_span_without_its_message(
    client: redis.Redis, recording: Recording, common: dict[str, Any]
) -> None:
    client.set("text", "not a number")
    recording.forget()
    with pytest.raises(redis.ResponseError):
        client.lpush("text", "x")

    [span] = recording.calls
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes is not None
    assert span.attributes["error.type"] == "redis.exceptions.ResponseError"
    expected = {"db.operation.name": "LPUSH", "error.type": "redis.exceptions.ResponseError"}
    assert ({**common, **expected}, 1) in recording.points("db.client.operation.duration")


def test_a_server_that_is_not_there_is_an_error_of_the_command(free_port: int, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    with redis.Redis(port=free_port, retry=AT_ONCE) as client, pytest.raises(redis.ConnectionError):
        client.get("a")

    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "redis.exceptions.ConnectionError"


def test_a_pool_is_measured(client: redis.Redis, recording: Recording, common: dict[str, Any]) -> None:
    client.get("a")
    parts = f"{common['server.address']}:{common['server.port']}/{common['db.namespace']}"
    name = {"db.client.connection.pool.name": parts, "db.system.name": "redis"}

    assert recording.points("db.client.connection.count") == [
        ({**name, "db.client.connection.state": "idle"}, 1),
        ({**name, "db.client.connection.state": "used"}, 0),
    ]


def test_a_blocking_pool_is_measured(redis_url: str, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    pool = redis.BlockingConnectionPool.from_url(redis_url, max_connections=3)
    with redis.Redis.from_pool(pool) as client:
        client.get("a")
        counts = recording.points("db.client.connection.count")

    assert [(point["db.client.connection.state"], value) for point, value in counts] == [("idle", 1), ("used", 0)]
    assert [value for _, value in recording.points("db.client.connection.max")] == [3]


async def test_an_async_command_and_pipeline_are_one_span_each(async_client: Any, recording: Recording) -> None:
    with recording.request():
        await async_client.set("a", "1")
        async with async_client.pipeline() as pipeline:
            await pipeline.get("a").get("b").execute()
        async with async_client.pipeline() as pipeline:
            await pipeline.execute()

    assert recording.tree() == ["request > SET", "request > PIPELINE"]


async def test_an_async_pool_is_measured(async_client: Any, recording: Recording) -> None:
    await async_client.get("a")
    counts = recording.points("db.client.connection.count")

    assert [(point["db.client.connection.state"], value) for point, value in counts] == [("idle", 1), ("used", 0)]


async def test_an_async_watched_read_is_a_span_of_its_own(async_client: Any, recording: Recording) -> None:
    async with async_client.pipeline() as pipeline:
        await pipeline.watch("a")
        await pipeline.get("a")
        pipeline.multi()
        pipeline.set("a", "1")
        await pipeline.execute()

    assert recording.names == ["WATCH", "GET", "PIPELINE"]


async def test_a_subscription_is_a_span(async_client: Any, recording: Recording) -> None:
    async with async_client.pubsub() as pubsub:
        await pubsub.subscribe("channel")

    assert "SUBSCRIBE" in recording.names


async def test_concurrent_requests_keep_their_commands(async_client: Any, recording: Recording) -> None:
    async def serve(number: int) -> None:
        with recording.request(f"request {number}"):
            await async_client.get("a")
            await async_client.get("b")

    await asyncio.gather(*(serve(number) for number in range(10)))

    assert sorted(recording.tree()) == sorted([f"request {number} > GET" for number in range(10)] * 2)


async def test_a_cancelled_command_ends_its_span(async_client: Any, recording: Recording) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await async_client.blpop("nothing", timeout=60)

    assert trace.get_current_span() is trace.INVALID_SPAN
    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_without_sampling_there_are_durations_and_no_spans(
    redis_url: str, unsampled: Recording, common: dict[str, Any]
) -> None:
    instrumentation.instrument(unsampled.telemetry)
    with unsampled.request(), redis.Redis.from_url(redis_url) as client:
        client.get("a")
        client.pipeline().get("a").get("b").execute()

    assert unsampled.finished == ()
    assert unsampled.points("db.client.operation.duration") == [
        ({**common, "db.operation.name": "GET"}, 1),
        ({**common, "db.operation.name": "PIPELINE"}, 1),
    ]


def test_suppressed_instrumentation_stays_silent(client: redis.Redis, recording: Recording) -> None:
    with suppress_instrumentation():
        client.get("a")

    assert recording.finished == ()
    assert recording.points("db.client.operation.duration") == []


def test_a_fault_of_ours_does_not_reach_the_application(
    client: redis.Redis, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(instrumentation._Servers, "find", fail)

    assert client.ping() is True
    assert recording.finished == ()


def test_undone_it_leaves_no_trace(client: redis.Redis, recording: Recording) -> None:
    instrumented = instrumentation.instrument(recording.telemetry)
    assert instrumented is instrumentation.instrument(recording.telemetry)
    instrumented.undo()
    client.get("a")

    assert recording.finished == ()
    assert not hasattr(redis.Redis.execute_command, "__wrapped__")
