"""`mita.database.up` is right about a PostgreSQL that stops, starts, hangs and refuses, whoever asks meanwhile."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mita_otel.libraries import asyncpg as asyncpg_instrumentation
from mita_otel.libraries import sqlalchemy as sqlalchemy_instrumentation
from mita_otel.libraries import up
from mita_otel.stack import databases
from mita_otel.stack.databases import Server
from tests.fixtures.polling import eventually
from tests.fixtures.servers import open_folder
from tests.unit.libraries.recording import Recording


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine needs longer than a collection waits."""
    monkeypatch.setattr(up, "PATIENCE", 3.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server to stop, pause or kill, made once."""
    with open_folder("postgres") as folder, databases.postgres_server(folder) as server:
        yield server


@pytest.fixture
def postgres_server(server: Server) -> Server:
    """The server, up again whatever the test before did."""
    server.resume()
    server.start()
    return server


@pytest.fixture
async def engine(postgres_server: Server, recording: Recording) -> AsyncIterator[AsyncEngine]:
    """An engine with a pool of one, instrumented like its driver, on a server to stop."""
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    url = postgres_server.url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    yield engine
    await engine.dispose()


@pytest.fixture
def told(recording: Recording) -> Callable[[], list[float]]:
    """What a collection tells."""
    return lambda: [value for _, value in recording.points("mita.database.up")]


async def _use(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


def _asks() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "mita-database-up"]


async def test_it_is_right_while_no_one_uses_the_database(
    engine: AsyncEngine, postgres_server: Server, told: Callable[[], list[float]]
) -> None:
    assert told() == [1]
    postgres_server.stop()
    assert told() == [0]
    postgres_server.start()
    assert told() == [1]


async def test_it_is_right_as_soon_as_a_query_fails(
    engine: AsyncEngine, postgres_server: Server, told: Callable[[], list[float]]
) -> None:
    await _use(engine)
    assert told() == [1]
    postgres_server.kill()
    with pytest.raises(Exception, match=r".+"):
        await _use(engine)
    assert told() == [0]
    postgres_server.start()
    assert told() == [1]


async def test_it_is_right_of_a_database_that_has_never_been_there(
    postgres_server: Server, recording: Recording, told: Callable[[], list[float]]
) -> None:
    postgres_server.stop()
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(postgres_server.url.replace("postgresql://", "postgresql+asyncpg://"))
    assert told() == [0]
    await engine.dispose()


async def test_a_server_that_accepts_and_says_nothing_is_down_and_holds_up_no_collection(
    engine: AsyncEngine,
    postgres_server: Server,
    told: Callable[[], list[float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(up, "PATIENCE", 0.1)
    postgres_server.pause()
    began = time.monotonic()
    told()
    assert time.monotonic() - began < 1
    await asyncio.to_thread(eventually, lambda: told() == [0])
    postgres_server.resume()
    await asyncio.to_thread(eventually, lambda: told() == [1])


async def test_an_answer_that_is_no_success_is_an_answer(
    engine: AsyncEngine, told: Callable[[], list[float]], recording: Recording
) -> None:
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="does not exist"):
            await connection.execute(text("SELECT * FROM missing"))
    assert told() == [1]
    assert _asks() == []


async def test_a_pool_of_one_that_is_in_use_is_not_needed(engine: AsyncEngine, told: Callable[[], list[float]]) -> None:
    async with engine.connect():
        assert told() == [1]


async def test_asking_leaves_no_trace(
    engine: AsyncEngine, told: Callable[[], list[float]], recording: Recording
) -> None:
    assert told() == [1]
    assert recording.finished == ()
    assert recording.points("db.client.operation.duration") == []
    assert [value for _, value in recording.points("mita.database.transactions")] == [0, 0, 0]
    assert engine.pool.checkedin() == 0  # type: ignore[attr-defined] # it is a queue's


async def test_a_pool_of_asyncpgs_is_asked_like_an_engine(
    postgres_server: Server, recording: Recording, told: Callable[[], list[float]]
) -> None:
    asyncpg_instrumentation.instrument(recording.telemetry)
    pool: Any = await asyncpg.create_pool(postgres_server.url, min_size=1, max_size=1)
    assert told() == []  # not known before it has given a connection
    await pool.acquire()
    assert told() == [1]
    postgres_server.stop()
    assert told() == [0]
    postgres_server.start()
    assert told() == [1]
    pool.terminate()
    assert told() == []


async def test_both_libraries_on_one_database_make_one_series(
    engine: AsyncEngine, postgres_server: Server, told: Callable[[], list[float]]
) -> None:
    async with asyncpg.create_pool(postgres_server.url, min_size=1, max_size=1) as pool:
        await pool.fetch("SELECT 1")
        await _use(engine)
        assert told() == [1]


async def test_a_wrong_password_is_no_outage(
    postgres_server: Server, recording: Recording, told: Callable[[], list[float]]
) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    url = f"postgresql+asyncpg://mita:wrong@127.0.0.1:{postgres_server.port}/postgres"
    engine = create_async_engine(url)
    assert told() == [1]
    await engine.dispose()


async def test_a_missing_database_is_one(
    postgres_server: Server, recording: Recording, told: Callable[[], list[float]]
) -> None:
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    url = postgres_server.url_of("missing").replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    assert told() == [0]
    await engine.dispose()


async def test_an_application_that_opens_connections_by_its_own_means_is_left_alone(
    postgres_server: Server, recording: Recording, told: Callable[[], list[float]]
) -> None:
    opened: list[int] = []

    async def open_one(*_: Any, **__: Any) -> Any:
        opened.append(1)
        return await asyncpg.connect(postgres_server.url)

    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    engine = create_async_engine("postgresql+asyncpg://own/means", async_creator=open_one)
    assert (told(), opened) == ([], [])
    await _use(engine)
    assert (told(), opened) == ([1], [1])
    await engine.dispose()
