import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry import trace
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mita_otel.libraries import asyncpg, sqlalchemy
from tests.unit.libraries.recording import Recording


class Model(DeclarativeBase):
    pass


class Account(Model):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


@pytest.fixture
async def engine(postgres_url: str, recording: Recording) -> AsyncIterator[AsyncEngine]:
    """An engine that has not connected yet, instrumented like its driver, on a database with the table `accounts`."""
    preparation = create_async_engine(_asyncpg(postgres_url))
    async with preparation.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
    await preparation.dispose()
    sqlalchemy.instrument(recording.telemetry)
    asyncpg.instrument(recording.telemetry)
    engine = create_async_engine(_asyncpg(postgres_url), pool_pre_ping=True)
    yield engine
    await engine.dispose()


def _asyncpg(url: str) -> Any:
    return make_url(url).set(drivername="postgresql+asyncpg")


async def test_the_first_query_of_a_new_engine_is_one_span(
    engine: AsyncEngine, postgres_url: str, recording: Recording
) -> None:
    with recording.request():
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(text("SELECT email FROM accounts WHERE id = :id AND email <> 'x'"), {"id": 1})

    url = make_url(postgres_url)
    assert recording.tree() == ["request > SELECT accounts"]
    [span] = recording.calls
    assert span.attributes == {
        "db.system.name": "postgresql",
        "db.namespace": url.database,
        "server.address": url.host,
        "server.port": url.port,
        "db.operation.name": "SELECT",
        "db.collection.name": "accounts",
        "db.query.summary": "SELECT accounts",
        "db.query.text": "SELECT email FROM accounts WHERE id = $1 AND email <> ?",
    }


async def test_a_pooled_connection_is_used_again_without_noise(engine: AsyncEngine, recording: Recording) -> None:
    for _ in range(3):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    assert recording.names == ["SELECT", "SELECT", "SELECT"]


async def test_a_bulk_insert_is_one_batch(engine: AsyncEngine, recording: Recording) -> None:
    async with AsyncSession(engine) as session, session.begin():
        session.add_all([Account(email=f"{number}@example.org") for number in range(2500)])

    [span] = recording.calls
    assert span.name == "BATCH INSERT accounts"
    assert span.attributes is not None
    assert span.attributes["db.operation.batch.size"] == 2500


async def test_a_streamed_result_is_one_span(engine: AsyncEngine, recording: Recording) -> None:
    async with engine.connect() as connection:
        rows = [row async for row in await connection.stream(text("SELECT * FROM generate_series(1, 500)"))]

    assert len(rows) == 500
    assert recording.names == ["SELECT"]


async def test_a_custom_type_is_looked_up_without_a_span(engine: AsyncEngine, recording: Recording) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TYPE mood AS ENUM ('good', 'bad')"))
        await connection.execute(text("SELECT ARRAY['good'::mood]"))

    assert recording.names == ["CREATE", "SELECT"]


async def test_a_unique_violation_is_told_by_its_sqlstate(engine: AsyncEngine, recording: Recording) -> None:
    async with AsyncSession(engine) as session:
        session.add(Account(id=1, email="anna@example.org"))
        await session.flush()
        session.add(Account(id=2, email="anna@example.org"))
        with pytest.raises(IntegrityError):
            await session.flush()

    span = recording.calls[-1]
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["db.response.status_code"] == "23505"
    assert span.attributes["error.type"] == "asyncpg.exceptions.UniqueViolationError"
    assert "anna" not in span.to_json()


async def test_a_cancelled_query_ends_its_span(engine: AsyncEngine, recording: Recording) -> None:
    started = asyncio.Event()

    async def sleep() -> trace.Span:
        try:
            async with engine.connect() as connection:
                started.set()
                await connection.execute(text("SELECT pg_sleep(60)"))
        except asyncio.CancelledError:
            return trace.get_current_span()
        raise AssertionError

    async with engine.connect():
        pass
    task = asyncio.create_task(sleep())
    await started.wait()
    async with asyncio.timeout(10):
        while not await _is_sleeping(engine):  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.01)
    task.cancel()

    assert await task is trace.INVALID_SPAN
    [span] = [span for span in recording.calls if span.attributes and "error.type" in span.attributes]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


async def _is_sleeping(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND wait_event = 'PgSleep'"
        return bool((await connection.execute(text(query))).scalar())


async def test_concurrent_requests_keep_their_queries(engine: AsyncEngine, recording: Recording) -> None:
    async def serve(number: int) -> None:
        with recording.request(f"request {number}"):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT id FROM accounts"))
                await connection.execute(text("SELECT 1"))

    await asyncio.gather(*(serve(number) for number in range(10)))

    expected = [f"request {number} > {name}" for number in range(10) for name in ("SELECT accounts", "SELECT")]
    assert sorted(recording.tree()) == sorted(expected)


async def test_durations_and_the_pool_are_measured(
    engine: AsyncEngine, postgres_url: str, recording: Recording
) -> None:
    for _ in range(3):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    url = make_url(postgres_url)
    pool = {
        "db.client.connection.pool.name": f"{url.host}:{url.port}/{url.database}",
        "db.system.name": "postgresql",
    }
    common = {"db.system.name": "postgresql", "db.namespace": url.database}
    where = {"server.address": url.host, "server.port": url.port}
    assert recording.points("db.client.operation.duration") == [({**common, **where, "db.operation.name": "SELECT"}, 3)]
    assert ({**pool, "db.client.connection.state": "idle"}, 1) in recording.points("db.client.connection.count")
    assert recording.points("db.client.connection.wait_time") == [(pool, 3)]
