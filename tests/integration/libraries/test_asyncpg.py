import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from mita_otel.libraries import asyncpg as instrumentation
from mita_otel.libraries.database import Endpoint
from tests.unit.libraries.recording import Recording


@pytest.fixture
async def connection(postgres_url: str, recording: Recording) -> AsyncIterator[Any]:
    """An instrumented connection to a database with the table `accounts`."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE accounts (id int PRIMARY KEY, email text)")
    instrumentation.instrument(recording.telemetry)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(postgres_url: str, recording: Recording) -> AsyncIterator[Any]:
    """An instrumented pool of at most two connections."""
    instrumentation.instrument(recording.telemetry)
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=2) as pool:
        yield pool


def _common(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "db.system.name": "postgresql",
        "db.namespace": parts.path[1:],
        "server.address": parts.hostname,
        "server.port": parts.port,
    }


async def test_a_query_is_one_span_with_the_stable_names(
    connection: Any, postgres_url: str, recording: Recording
) -> None:
    with recording.request():
        await connection.fetch("SELECT email FROM accounts WHERE id = $1 AND email = 'x'", 1)

    assert recording.tree() == ["request > SELECT accounts"]
    [span] = recording.calls
    assert span.attributes == {
        **_common(postgres_url),
        "db.operation.name": "SELECT",
        "db.collection.name": "accounts",
        "db.query.summary": "SELECT accounts",
        "db.query.text": "SELECT email FROM accounts WHERE id = $1 AND email = ?",
    }
    assert recording.points("db.client.operation.duration") == [
        ({**_common(postgres_url), "db.operation.name": "SELECT"}, 1)
    ]


@pytest.mark.parametrize("method", ["execute", "fetch", "fetchrow", "fetchval"])
async def test_every_method_is_one_span(connection: Any, recording: Recording, method: str) -> None:
    await getattr(connection, method)("SELECT 1")
    await getattr(connection, method)(query="SELECT 1")

    assert recording.names == ["SELECT", "SELECT"]


async def test_many_sets_of_arguments_are_one_batch(connection: Any, recording: Recording) -> None:
    await connection.executemany("INSERT INTO accounts (id) VALUES ($1)", [(1,), (2,), (3,)])

    [span] = recording.calls
    assert span.name == "BATCH INSERT accounts"
    assert span.attributes is not None
    assert span.attributes["db.operation.batch.size"] == 3


async def test_sets_of_arguments_that_cannot_be_counted_are_not_consumed(connection: Any, recording: Recording) -> None:
    await connection.executemany("INSERT INTO accounts (id) VALUES ($1)", ((number,) for number in range(3)))

    assert await connection.fetchval("SELECT count(*) FROM accounts") == 3
    assert recording.names == ["INSERT accounts", "SELECT accounts"]


async def test_a_prepared_statement_is_a_span_an_execution(connection: Any, recording: Recording) -> None:
    statement = await connection.prepare("SELECT email FROM accounts WHERE id = $1")
    await statement.fetch(1)
    await statement.fetchval(2)
    await statement.fetchrow(3)

    assert recording.names == ["SELECT accounts"] * 3


async def test_a_cursor_is_one_span_however_many_rows(connection: Any, recording: Recording) -> None:
    async with connection.transaction():
        rows = [row async for row in connection.cursor("SELECT generate_series(1, 200) AS n", prefetch=10)]
        cursor = await connection.cursor("SELECT generate_series(1, 5)")
        await cursor.fetch(2)
        await cursor.fetchrow()
        statement = await connection.prepare("SELECT generate_series(1, 5)")
        async for _ in statement.cursor():
            pass

    assert len(rows) == 200
    assert recording.names == ["SELECT", "SELECT", "SELECT"]


async def test_copies_are_spans_of_their_table(connection: Any, recording: Recording) -> None:
    await connection.copy_records_to_table("accounts", records=[(1, "a"), (2, "b")])
    await connection.copy_to_table("accounts", source=io.BytesIO(b"3\tc\n"))
    await connection.copy_from_table("accounts", output=io.BytesIO())
    await connection.copy_from_query("SELECT id FROM accounts WHERE id > $1", 1, output=io.BytesIO())

    assert recording.names == ["COPY accounts"] * 4


async def test_transactions_and_savepoints_have_no_spans(connection: Any, recording: Recording) -> None:
    async with connection.transaction(), connection.transaction():
        await connection.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            raise ZeroDivisionError

    assert recording.names == ["SELECT"]


async def test_types_are_looked_up_without_spans(connection: Any, recording: Recording) -> None:
    await connection.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    await connection.fetch("SELECT ARRAY['good'::mood]")
    await connection.set_type_codec("json", schema="pg_catalog", encoder=str, decoder=str)

    assert recording.names == ["CREATE", "SELECT"]


async def test_an_error_is_told_by_its_sqlstate(connection: Any, postgres_url: str, recording: Recording) -> None:
    await connection.execute("INSERT INTO accounts VALUES (1, 'anna@example.org')")
    recording.forget()
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO accounts VALUES (1, 'anna@example.org')")

    [span] = recording.calls
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["db.response.status_code"] == "23505"
    assert span.attributes["error.type"] == "asyncpg.exceptions.UniqueViolationError"
    assert "anna" not in span.to_json()
    expected = {"db.operation.name": "INSERT", "error.type": "asyncpg.exceptions.UniqueViolationError"}
    assert ({**_common(postgres_url), **expected}, 1) in recording.points("db.client.operation.duration")


async def test_a_query_that_times_out_ends_its_span(connection: Any, recording: Recording) -> None:
    with pytest.raises(TimeoutError):
        await connection.execute("SELECT pg_sleep(60)", timeout=0.05)

    assert trace.get_current_span() is trace.INVALID_SPAN
    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "TimeoutError"


async def test_a_pool_is_reset_and_filled_without_spans(pool: Any, recording: Recording) -> None:
    with recording.request():
        for _ in range(3):
            await pool.fetchval("SELECT 1")

    assert recording.tree() == ["request > SELECT"] * 3


async def test_concurrent_requests_keep_their_queries(pool: Any, recording: Recording) -> None:
    async def serve(number: int) -> None:
        with recording.request(f"request {number}"):
            await pool.fetchval("SELECT 1")

    await asyncio.gather(*(serve(number) for number in range(10)))

    assert sorted(recording.tree()) == [f"request {number} > SELECT" for number in range(10)]


async def test_a_pool_is_measured(pool: Any, postgres_url: str, recording: Recording) -> None:
    async with pool.acquire(), pool.acquire():
        with pytest.raises(TimeoutError):
            await pool.acquire(timeout=0.02)
    parts = urlsplit(postgres_url)
    name = {
        "db.client.connection.pool.name": f"{parts.hostname}:{parts.port}{parts.path}",
        "db.system.name": "postgresql",
    }

    async with pool.acquire():
        assert recording.points("db.client.connection.count") == [
            ({**name, "db.client.connection.state": "idle"}, 1),
            ({**name, "db.client.connection.state": "used"}, 1),
        ]
    assert recording.points("db.client.connection.max") == [(name, 2)]
    assert recording.points("db.client.connection.wait_time") == [(name, 3)]
    assert recording.points("db.client.connection.timeouts") == [(name, 1)]


async def test_without_sampling_there_are_durations_and_no_spans(postgres_url: str, unsampled: Recording) -> None:
    instrumentation.instrument(unsampled.telemetry)
    connection = await asyncpg.connect(postgres_url)
    await connection.fetch("SELECT 1")
    await connection.close()

    assert unsampled.finished == ()
    assert unsampled.points("db.client.operation.duration") == [
        ({**_common(postgres_url), "db.operation.name": "SELECT"}, 1)
    ]


async def test_suppressed_instrumentation_stays_silent(connection: Any, recording: Recording) -> None:
    with suppress_instrumentation():
        await connection.fetch("SELECT 1")

    assert recording.finished == ()
    assert recording.points("db.client.operation.duration") == []


async def test_a_fault_of_ours_does_not_reach_the_application(
    connection: Any, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Endpoint, "statement", fail)

    assert await connection.fetchval("SELECT 41 + 1") == 42
    assert recording.finished == ()


async def test_undone_it_leaves_no_trace(connection: Any, recording: Recording) -> None:
    instrumented = instrumentation.instrument(recording.telemetry)
    assert instrumented is instrumentation.instrument(recording.telemetry)
    instrumented.undo()
    await connection.fetch("SELECT 1")

    assert recording.finished == ()
    assert not hasattr(asyncpg.Connection.fetch, "__wrapped__")
    assert not hasattr(asyncpg.Pool._acquire, "__wrapped__")
