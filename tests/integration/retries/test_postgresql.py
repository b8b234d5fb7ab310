import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from mita_otel.libraries import sqlalchemy as instrumentation
from mita_otel.retries import (
    DATABASE,
    OutOfTimeError,
    Registry,
    Retry,
    TimeLimit,
    Transactions,
    UnknownOutcomeError,
    remaining,
)
from tests.fixtures.polling import eventually_async
from tests.integration.retries.conftest import client_of, connect
from tests.unit.libraries.recording import Recording

LOCKED = "UPDATE accounts SET balance = balance - 1 WHERE id = 1"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE accounts%' AND state = 'active'"


@asynccontextmanager
async def locked(operator: asyncpg.Connection) -> AsyncIterator[None]:
    """The row of account 1 is locked while the block runs."""
    transaction = operator.transaction()
    await transaction.start()
    await operator.execute("SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE")
    yield
    await transaction.rollback()


def answering(work: Callable[[], Awaitable[Any]], recording: Recording) -> Any:
    """An application that does some work and answers 200."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        with recording.request():
            await work()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    return app


async def backend(engine: AsyncEngine) -> int:
    """The server's process behind the engine's one connection."""
    async with engine.connect() as connection:
        found: int = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        return found


async def test_a_lock_of_ten_seconds_ends_with_a_deadline_of_half_a_second(
    engine: AsyncEngine, operator: asyncpg.Connection, recording: Recording, postgres_url: str
) -> None:
    before = await backend(engine)

    async def work() -> None:
        async with engine.begin() as connection:
            await connection.execute(text(LOCKED))

    recording.forget()
    watcher = await asyncpg.connect(postgres_url)
    async with locked(operator), client_of(answering(work, recording)) as client:
        began = time.monotonic()
        answer = await client.get("/", headers={"x-request-timeout": "0.5"})
        took = time.monotonic() - began
        # Still locked: nothing but the deadline has ended the statement.
        assert await watcher.fetchval(RUNNING) == 0
    await watcher.close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT_8001")
    assert 0.3 < took < 2.0  # 0.6 on a machine of its own
    assert await backend(engine) == before, "the connection is the same, and usable"
    [span] = [span for span in recording.calls if span.name == "UPDATE accounts"]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "asyncpg.exceptions.QueryCanceledError"
    assert span.attributes["db.response.status_code"] == "57014"
    assert "SET" not in recording.names, "what we tell the server is no statement of the application's"


async def test_a_statement_that_the_service_has_to_cancel_counts_like_one_that_the_server_ends(
    operator: asyncpg.Connection, recording: Recording, postgres_url: str
) -> None:
    instrumentation.instrument(recording.telemetry)
    engine = connect(postgres_url, within=0)

    async def work() -> None:
        async with engine.begin() as connection:
            await connection.execute(text(LOCKED))

    async with locked(operator), client_of(answering(work, recording)) as client:
        answer = await client.get("/", headers={"x-request-timeout": "0.5"})
    await engine.dispose()
    assert answer.status_code == 504
    [span] = [span for span in recording.calls if span.name == "UPDATE accounts"]
    assert span.attributes is not None
    assert span.attributes["error.type"] == "timeout"
    timeouts = [(point["scope"], value) for point, value in recording.points("mita.timeouts") if value]
    assert timeouts == [("database", 1)], "that of the request is not in this recording"


async def test_a_limit_ends_with_its_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        async with TimeLimit(1.0):
            told = (await connection.execute(text("SHOW statement_timeout"))).scalar_one()
        await connection.commit()
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "0"
    assert 0 < int(told.removesuffix("ms")) <= 1000


async def test_a_deadline_far_away_costs_no_round_trip(engine: AsyncEngine) -> None:
    async with TimeLimit(60.0), engine.connect() as connection:
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "0"


async def test_the_server_is_told_anew_when_half_of_the_time_is_over(engine: AsyncEngine) -> None:
    async with TimeLimit(0.9), engine.connect() as connection:
        told = [(await connection.execute(text("SHOW statement_timeout"))).scalar_one()]
        await connection.execute(text("SELECT pg_sleep(0.5)"))
        told.append((await connection.execute(text("SHOW statement_timeout"))).scalar_one())
    first, second = (int(each.removesuffix("ms")) for each in told)
    assert second <= first / 2


async def test_no_statement_begins_after_the_deadline(engine: AsyncEngine, recording: Recording) -> None:
    await _select(engine)
    with TimeLimit(0.01):
        await eventually_async(_is_over)
        with pytest.raises(OutOfTimeError):
            await _select(engine)
    timeouts = [(point["scope"], value) for point, value in recording.points("mita.timeouts") if value]
    assert timeouts == [("database", 1)]
    assert [value for _, value in recording.points("mita.database.up")] == [1], "nobody has asked it"
    await _select(engine)


async def _is_over() -> bool:
    return remaining() <= 0


async def _select(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def test_a_statement_that_someone_else_cancels_is_not_out_of_time(
    engine: AsyncEngine, operator: asyncpg.Connection
) -> None:
    pid = await backend(engine)

    async def sleep() -> None:
        async with TimeLimit(4.0), engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(30)"))

    sleeping = asyncio.create_task(sleep())
    await eventually_async(
        lambda: operator.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'", pid)
    )
    await operator.execute("SELECT pg_cancel_backend($1)", pid)
    with pytest.raises(DBAPIError) as raised:
        await sleeping
    assert not isinstance(raised.value, OutOfTimeError)


async def test_an_aborted_transaction_can_go_back_to_its_savepoint(
    engine: AsyncEngine, operator: asyncpg.Connection
) -> None:
    assert operator
    async with TimeLimit(2.0), engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        savepoint = await connection.begin_nested()
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT 1 / 0"))
        await savepoint.rollback()
        assert (await connection.execute(text("SELECT count(*) FROM accounts"))).scalar_one() == 2


async def test_autocommit_is_left_alone(engine: AsyncEngine) -> None:
    connected = engine.execution_options(isolation_level="AUTOCOMMIT").connect()
    async with TimeLimit(2.0), connected as connection:
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "0"


async def test_a_cancelled_client_leaves_no_statement_behind(
    engine: AsyncEngine, operator: asyncpg.Connection, postgres_url: str
) -> None:
    async def work() -> None:
        async with TimeLimit(30.0), engine.begin() as connection:
            await connection.execute(text(LOCKED))

    watcher = await asyncpg.connect(postgres_url)
    async with locked(operator):
        working = asyncio.create_task(work())
        await eventually_async(lambda: watcher.fetchval(RUNNING))
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await eventually_async(lambda: _none_runs(watcher))
    await watcher.close()
    await _select(engine)


async def _none_runs(watcher: asyncpg.Connection) -> bool:
    return bool(await watcher.fetchval(RUNNING) == 0)


@pytest.fixture
def transactions(engine: AsyncEngine) -> Transactions[AsyncSession]:
    return Transactions(async_sessionmaker(engine), Retry("database", DATABASE, registry=Registry()))


async def test_transactions_that_conflict_are_tried_again_as_a_whole(
    postgres_url: str, operator: asyncpg.Connection
) -> None:
    url = make_url(postgres_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=5, isolation_level="SERIALIZABLE")
    retry = Retry("database", DATABASE, registry=Registry())
    transactions = Transactions(async_sessionmaker(engine), retry)

    async def spend(session: AsyncSession) -> None:
        balance = (await session.execute(text("SELECT balance FROM accounts WHERE id = 1"))).scalar_one()
        await session.execute(text("UPDATE accounts SET balance = :left WHERE id = 1"), {"left": balance - 10})

    await asyncio.gather(*(transactions.run(spend) for _ in range(3)))
    await engine.dispose()
    assert await operator.fetchval("SELECT balance FROM accounts WHERE id = 1") == 70
    assert retry.statistics.calls == 3


async def test_a_deadlock_is_tried_again(engine: AsyncEngine, operator: asyncpg.Connection, postgres_url: str) -> None:
    retry = Retry("database", DATABASE, registry=Registry())
    transactions = Transactions(async_sessionmaker(engine), retry)
    await operator.execute(f"ALTER DATABASE {postgres_url.rpartition('/')[2]} SET deadlock_timeout = '50ms'")
    other = operator.transaction()
    await other.start()
    await operator.execute("UPDATE accounts SET balance = 1 WHERE id = 2")
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await session.execute(text("UPDATE accounts SET balance = balance + 1 WHERE id = 1"))
        await session.execute(text("UPDATE accounts SET balance = balance + 1 WHERE id = 2"))

    running = asyncio.create_task(transactions.run(work))
    watcher = await asyncpg.connect(postgres_url)
    await eventually_async(lambda: watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    await watcher.close()
    # Waits for the transaction that waits for it; the one that has waited for less long finds out.
    await operator.execute("SET deadlock_timeout = '60s'")
    await operator.execute("UPDATE accounts SET balance = 1 WHERE id = 1")
    await other.commit()
    await running
    assert runs >= 2
    assert await operator.fetchval("SELECT sum(balance) FROM accounts") == 4


async def test_a_failure_that_lasts_is_not_tried_again(
    transactions: Transactions[AsyncSession], operator: asyncpg.Connection
) -> None:
    assert operator
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await session.execute(text("INSERT INTO accounts VALUES (1, 1)"))

    with pytest.raises(DBAPIError):
        await transactions.run(work)
    assert runs == 1


async def test_a_connection_that_is_lost_in_a_commit_leaves_the_outcome_unknown(
    transactions: Transactions[AsyncSession], operator: asyncpg.Connection
) -> None:
    # A deferred trigger runs during the commit, and ends its own process.
    await operator.execute(
        "CREATE FUNCTION die() RETURNS trigger AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL;"
        " END' LANGUAGE plpgsql"
    )
    await operator.execute(
        "CREATE CONSTRAINT TRIGGER dying AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION die()"
    )
    runs = 0

    async def work(session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        await session.execute(text(LOCKED))

    with pytest.raises(UnknownOutcomeError):
        await transactions.run(work)
    assert runs == 1
    with pytest.raises(DBAPIError):
        await transactions.run(work, idempotent=True)
    assert runs > 2


async def test_a_transaction_does_not_outlive_the_deadline(
    engine: AsyncEngine, operator: asyncpg.Connection, transactions: Transactions[AsyncSession]
) -> None:
    async def work(session: AsyncSession) -> None:
        await session.execute(text(LOCKED))

    async with locked(operator):
        with pytest.raises((OutOfTimeError, TimeoutError)):
            async with TimeLimit(0.3):
                await transactions.run(work)
    connection: AsyncConnection
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT balance FROM accounts WHERE id = 1"))).scalar_one() == 100
