"""Slow queries on a real PostgreSQL: counted, marked, ranked, logged once a minute, explained on another connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from opentelemetry import trace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mita_otel.libraries import asyncpg as asyncpg_instrumentation
from mita_otel.libraries import redis as redis_instrumentation
from mita_otel.libraries import sqlalchemy as sqlalchemy_instrumentation
from mita_otel.libraries.slow import slow_queries
from mita_otel.stack import databases
from tests.fixtures.polling import eventually
from tests.unit.libraries.recording import Recording

NAP = 0.05
SLOW = f"SELECT pg_sleep({NAP}), id FROM accounts WHERE id = :id AND email <> 'jane@example.com'"
MASKED = "SELECT pg_sleep(?), id FROM accounts WHERE id = $1 AND email <> ?"
LOGGER = "mita_otel.database"


@pytest.fixture
def slow() -> Iterator[Recording]:
    """Providers for which a nap is slow and no plan is wanted."""
    recording = Recording(environment={"MITA_SLOW_QUERY_SECONDS": str(NAP)})
    yield recording
    recording.shutdown()


@pytest.fixture
def explained() -> Iterator[Recording]:
    """Providers for which a nap is slow and plans are wanted."""
    environment = {"MITA_SLOW_QUERY_SECONDS": str(NAP), "MITA_SLOW_QUERY_PLAN": "true"}
    recording = Recording(environment=environment)
    yield recording
    recording.shutdown()


async def _engine(url: str, recording: Recording, **options: Any) -> AsyncEngine:
    preparing = await asyncpg.connect(url)
    await preparing.execute("CREATE TABLE accounts (id int PRIMARY KEY, email text)")
    await preparing.execute("INSERT INTO accounts SELECT n, n || '@example.com' FROM generate_series(1, 1000) n")
    await preparing.close()
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    return create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), **options)


@pytest.fixture
async def engine(postgres_url: str, slow: Recording) -> AsyncIterator[AsyncEngine]:
    engine = await _engine(postgres_url, slow)
    yield engine
    await engine.dispose()


@pytest.fixture
async def explaining(postgres_url: str, explained: Recording) -> AsyncIterator[AsyncEngine]:
    engine = await _engine(postgres_url, explained, pool_size=1, max_overflow=0, pool_timeout=0.05)
    yield engine
    await engine.dispose()


async def _run(engine: AsyncEngine, statement: str = SLOW, **parameters: object) -> None:
    async with engine.connect() as connection:
        await connection.execute(text(statement), parameters or {"id": 1})


def _logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == LOGGER]


async def test_a_slow_query_is_counted_and_a_fast_one_is_not(postgres_url: str) -> None:
    recording = Recording(environment={"MITA_SLOW_QUERY_SECONDS": "1"})
    engine = await _engine(postgres_url, recording)
    await _run(engine, "SELECT pg_sleep(1), id FROM accounts WHERE id = :id")
    await _run(engine, "SELECT 1 WHERE 1 = :id")
    await engine.dispose()
    assert recording.points("mita.database.slow_queries") == [({"db.operation.name": "SELECT"}, 1)]
    [(attributes, seconds)] = recording.points("mita.database.slow_query.time")
    assert attributes == {"db.query.summary": "SELECT accounts"}
    assert seconds >= 1
    recording.shutdown()


async def test_its_span_is_marked_with_the_masked_statement(engine: AsyncEngine, slow: Recording) -> None:
    await _run(engine)
    [span] = slow.calls
    [event] = span.events
    assert event.name == "mita.slow_query"
    assert event.attributes is not None
    assert event.attributes["db.query.text"] == MASKED
    assert event.attributes["mita.slow_query.threshold"] == NAP
    assert event.attributes["mita.slow_query.duration"] >= NAP  # type: ignore[operator] # it is a number
    assert "jane" not in span.to_json()


async def test_it_is_ranked_by_the_time_that_it_took(engine: AsyncEngine) -> None:
    for _ in range(2):
        await _run(engine)
    await _run(engine, f"SELECT pg_sleep({NAP}) WHERE 1 = :id")
    first, second = slow_queries()
    assert (first.statement, first.summary, first.executions, first.plan) == (MASKED, "SELECT accounts", 2, None)
    assert first.total_seconds > second.total_seconds >= NAP
    assert first.longest_seconds < first.total_seconds


async def test_it_is_logged_once_a_minute_within_its_trace(
    engine: AsyncEngine, slow: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[trace.SpanContext] = []

    class Look(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            seen.append(trace.get_current_span().get_span_context())
            return True

    look = Look()
    logging.getLogger(LOGGER).addFilter(look)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await _run(engine)
    logging.getLogger(LOGGER).removeFilter(look)
    [record] = _logged(caplog)
    assert record["levelname"] == "WARNING"
    assert (
        record["msg"] % record["args"] == f"slow query: SELECT accounts took {record['mita.slow_query.duration']:.3f} s"
    )
    assert record["db.query.text"] == MASKED
    assert record["db.system.name"] == "postgresql"
    assert "mita.slow_query.plan" not in record
    assert [context.span_id for context in seen] == [slow.calls[0].context.span_id]


async def test_a_slow_query_that_fails_is_slow_too(engine: AsyncEngine, slow: Recording) -> None:
    with pytest.raises(Exception, match="division"):
        await _run(engine, f"SELECT 1 / length(pg_sleep({NAP})::text) WHERE 1 = :id")
    assert [value for _, value in slow.points("mita.database.slow_queries")] == [1]


async def test_a_statement_of_a_megabyte_is_cut(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    await _run(engine, f"SELECT pg_sleep({NAP}), '{'x' * 1_000_000}' WHERE 1 = :id")
    [query] = slow_queries()
    assert len(query.statement) < 5000
    assert "xxx" not in query.statement


def test_a_command_of_redis_that_waits_is_no_slow_query(redis_url: str, slow: Recording) -> None:
    import redis  # noqa: PLC0415 - one test needs it

    redis_instrumentation.instrument(slow.telemetry)
    with redis.Redis.from_url(redis_url) as client:
        client.blpop(["nothing"], timeout=NAP * 2)
    assert slow_queries() == ()


async def test_a_plan_is_kept_and_logged_where_it_is_asked_for(
    explaining: AsyncEngine, explained: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await _run(explaining)
        await asyncio.to_thread(eventually, lambda: _logged(caplog))
    [record] = _logged(caplog)
    plan = record["mita.slow_query.plan"].splitlines()
    assert plan[0].startswith("Index Scan using accounts_pkey on accounts  (cost=")
    assert plan[1:] == ["  Index Cond: (id = $1)", "  Filter: (email <> ?::text)"]
    [query] = slow_queries()
    assert query.plan == record["mita.slow_query.plan"]


async def test_explaining_leaves_no_trace_and_needs_no_connection_of_the_pool(
    explaining: AsyncEngine, explained: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with explaining.connect() as connection:
            await connection.execute(text(SLOW), {"id": 1})
            # The pool's only connection is still in use.
            await asyncio.to_thread(eventually, lambda: _logged(caplog))
    assert "mita.slow_query.plan" in _logged(caplog)[0]
    assert explained.names == ["SELECT accounts"]
    assert [count for _, count in explained.points("db.client.operation.duration")] == [1]
    assert [value for _, value in explained.points("mita.database.slow_queries")] == [1]


async def test_what_no_plan_can_be_had_for_is_logged_with_the_reason(
    explaining: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with explaining.begin() as connection:
            # No other connection sees the table.
            await connection.execute(text("CREATE TABLE mine (id int)"))
            await connection.execute(text(f"SELECT pg_sleep({NAP}) FROM (SELECT count(*) FROM mine) x"))
            await asyncio.to_thread(eventually, lambda: _logged(caplog))
    # The driver's exception, or what SQLAlchemy 2.0 has made of it.
    assert _logged(caplog)[0]["mita.slow_query.no_plan"] in {"UndefinedTableError 42P01", "ProgrammingError 42P01"}


async def test_an_explanation_is_not_explained(explaining: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await _run(explaining, f"EXPLAIN ANALYZE SELECT pg_sleep({NAP})", nothing=1)
    [record] = _logged(caplog)
    assert {"mita.slow_query.plan", "mita.slow_query.no_plan"}.isdisjoint(record)


async def test_nothing_is_executed_to_be_explained(explaining: AsyncEngine, postgres_url: str) -> None:
    sleeping = (
        f"WITH gone AS (DELETE FROM accounts WHERE id > :id RETURNING id) SELECT pg_sleep({NAP}) FROM gone LIMIT 1"
    )
    await _run(explaining, sleeping, id=999)  # and rolled back
    [query] = await asyncio.to_thread(eventually, lambda: [one for one in slow_queries() if one.plan])
    assert "CTE gone Delete on accounts" in (query.plan or "")
    looking = await asyncpg.connect(postgres_url)
    assert await looking.fetchval("SELECT count(*) FROM accounts") == 1000
    await looking.close()


async def test_asyncpgs_own_queries_are_explained_as_well(
    postgres_url: str, explained: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    asyncpg_instrumentation.instrument(explained.telemetry)
    with caplog.at_level(logging.WARNING):
        async with asyncpg.create_pool(postgres_url, min_size=1, max_size=1) as pool:
            await pool.fetch(f"SELECT pg_sleep({NAP}) WHERE $1 = 'b'", "a' OR 'secret")
            await pool.fetch(f"SELECT pg_sleep({NAP}) WHERE $1 <> 'b'", "a' OR 'secret")
            await asyncio.to_thread(eventually, lambda: _logged(caplog))
    plan = _logged(caplog)[-1]["mita.slow_query.plan"]
    assert "One-Time Filter: ($1 <> ?::text)" in plan
    assert "secret" not in plan


async def test_a_database_that_is_gone_costs_the_plan_alone(
    explained: Recording, postgres_server: databases.Server, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await _engine(postgres_server.url, explained)
    with caplog.at_level(logging.WARNING, LOGGER):
        running = asyncio.create_task(_run(engine, "SELECT pg_sleep(60) WHERE 1 = :id"))
        looking = await asyncpg.connect(postgres_server.url)
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND now() - query_start > $1"
        while not await looking.fetchval(asleep, timedelta(seconds=NAP)):
            pass
        looking.terminate()
        postgres_server.kill()
        with pytest.raises(Exception, match=r".+"):
            await running
        await asyncio.to_thread(eventually, lambda: _logged(caplog))
    await engine.dispose()
    assert _logged(caplog)[-1]["mita.slow_query.no_plan"] == "ConnectionRefusedError"


@pytest.mark.parametrize("programs", databases.find_postgres(), ids=lambda path: path.parent.name)
async def test_every_version_of_postgresql_tells_its_plans(
    programs: Path, explained: Recording, demo_folder: Path
) -> None:
    with databases.postgres_server(demo_folder, programs=programs) as server:
        engine = await _engine(server.url, explained)
        await _run(engine)
        [query] = await asyncio.to_thread(eventually, lambda: [one for one in slow_queries() if one.plan])
        await engine.dispose()
    assert (query.plan or "").startswith("Index Scan using accounts_pkey on accounts")
