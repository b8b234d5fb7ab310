"""Transactions on PostgreSQL by how they end, of both libraries, and the conflicts between them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mita_otel.libraries import asyncpg as asyncpg_instrumentation
from mita_otel.libraries import sqlalchemy as sqlalchemy_instrumentation
from tests.unit.libraries.recording import Recording


@pytest.fixture
async def engine(postgres_url: str, recording: Recording) -> AsyncIterator[AsyncEngine]:
    """An engine, instrumented like its driver, on a database with two accounts."""
    preparing = await asyncpg.connect(postgres_url)
    await preparing.execute("CREATE TABLE accounts (id int PRIMARY KEY, cents int)")
    await preparing.execute("INSERT INTO accounts VALUES (1, 100), (2, 100)")
    await preparing.close()
    sqlalchemy_instrumentation.instrument(recording.telemetry)
    asyncpg_instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def pool(engine: AsyncEngine, postgres_url: str) -> AsyncIterator[Any]:
    """A pool of asyncpg's on the same database."""
    async with asyncpg.create_pool(postgres_url, min_size=1, max_size=4) as pool:
        yield pool


def _ended(recording: Recording) -> dict[str, float]:
    points = recording.points("mita.database.transactions")
    return {attributes["status"]: value for attributes, value in points if value}


def _conflicts(recording: Recording) -> tuple[float, float]:
    names = "mita.database.deadlocks", "mita.database.serialization_failures"
    [deadlocks, failures] = [recording.points(name)[0][1] for name in names]
    return deadlocks, failures


PAY = "UPDATE accounts SET cents = cents + 1 WHERE id = {}"


async def test_a_transaction_through_sqlalchemy_is_counted_once(engine: AsyncEngine, recording: Recording) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(PAY.format(1)))
    assert _ended(recording) == {"committed": 1}


async def test_transactions_of_asyncpg_are_counted(pool: Any, recording: Recording) -> None:
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute(PAY.format(1))
        by_hand = connection.transaction()
        await by_hand.start()
        await connection.execute(PAY.format(1))
        await by_hand.rollback()
        with pytest.raises(asyncpg.UniqueViolationError):
            async with connection.transaction():
                await connection.execute("INSERT INTO accounts VALUES (1, 1)")
    assert _ended(recording) == {"committed": 1, "rolled_back": 2}


async def test_asyncpgs_savepoints_are_parts_of_one(pool: Any, recording: Recording) -> None:
    async with pool.acquire() as connection, connection.transaction():
        async with connection.transaction():
            await connection.execute(PAY.format(1))
        with pytest.raises(asyncpg.UniqueViolationError):
            async with connection.transaction():
                await connection.execute("INSERT INTO accounts VALUES (1, 1)")
    assert _ended(recording) == {"committed": 1}


async def test_an_empty_transaction_of_asyncpg_is_none(pool: Any, recording: Recording) -> None:
    async with pool.acquire() as connection, connection.transaction():
        pass
    assert _ended(recording) == {}


async def test_what_asyncpg_does_outside_of_transactions_is_none(pool: Any, recording: Recording) -> None:
    await pool.execute(PAY.format(1))
    assert _ended(recording) == {}


async def test_a_commit_that_postgresql_turns_into_a_rollback_is_one(
    engine: AsyncEngine, pool: Any, recording: Recording
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO accounts VALUES (1, 1)")
    async with engine.connect() as sqlalchemys:
        with pytest.raises(DBAPIError):
            await sqlalchemys.execute(text("INSERT INTO accounts VALUES (1, 1)"))
        await sqlalchemys.commit()
    assert _ended(recording) == {"rolled_back": 2}


async def test_a_statement_that_is_refused_within_a_savepoint_spoils_nothing(
    engine: AsyncEngine, recording: Recording
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(PAY.format(1)))
        with pytest.raises(DBAPIError):
            async with connection.begin_nested():
                await connection.execute(text("INSERT INTO accounts VALUES (1, 1)"))
    assert _ended(recording) == {"committed": 1}


async def test_a_commit_that_fails_is_rolled_back_once(engine: AsyncEngine, pool: Any, recording: Recording) -> None:
    deferred = "ALTER TABLE accounts ADD CONSTRAINT twice UNIQUE (cents) DEFERRABLE INITIALLY DEFERRED"
    await pool.execute("UPDATE accounts SET cents = id")
    await pool.execute(deferred)
    async with engine.connect() as connection:
        await connection.execute(text("UPDATE accounts SET cents = 5"))
        with pytest.raises(DBAPIError):
            await connection.commit()
    async with pool.acquire() as bare:
        with pytest.raises(asyncpg.UniqueViolationError):
            async with bare.transaction():
                await bare.execute("UPDATE accounts SET cents = 5")
    assert _ended(recording) == {"rolled_back": 2}


async def test_a_commit_that_the_server_does_not_answer_is_unknown(
    engine: AsyncEngine, pool: Any, recording: Recording
) -> None:
    async with engine.connect() as connection:
        number = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar()
        await pool.fetch("SELECT pg_terminate_backend($1, 5000)", number)
        with pytest.raises(DBAPIError):
            await connection.commit()
    assert _ended(recording)["unknown"] == 1


async def _pay(connection: AsyncConnection, first: int, second: int, met: asyncio.Barrier) -> None:
    await connection.execute(text(PAY.format(first)))
    await met.wait()
    await connection.execute(text(PAY.format(second)))
    await connection.commit()


async def test_a_deadlock_is_counted_for_the_one_that_was_given_up(engine: AsyncEngine, recording: Recording) -> None:
    met = asyncio.Barrier(2)
    async with engine.connect() as one, engine.connect() as other:
        outcomes = await asyncio.gather(_pay(one, 1, 2, met), _pay(other, 2, 1, met), return_exceptions=True)
    assert sum(isinstance(outcome, DBAPIError) for outcome in outcomes) == 1
    assert _conflicts(recording) == (1, 0)
    assert _ended(recording) == {"committed": 1, "rolled_back": 1}


async def test_a_serialization_failure_of_a_statement_is_counted(pool: Any, recording: Recording) -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        await connection.fetch("SELECT * FROM accounts")
        await pool.execute(PAY.format(1))
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute(PAY.format(1))
        await transaction.rollback()
    assert _conflicts(recording) == (0, 1)


async def test_a_serialization_failure_of_a_commit_is_counted(
    engine: AsyncEngine, pool: Any, recording: Recording
) -> None:
    skew = "UPDATE accounts SET cents = (SELECT sum(cents) FROM accounts) WHERE id = {}"
    serializable = engine.execution_options(isolation_level="SERIALIZABLE")
    async with serializable.connect() as one, serializable.connect() as other:
        await one.execute(text(skew.format(1)))
        await other.execute(text(skew.format(2)))
        await one.commit()
        with pytest.raises(DBAPIError):
            await other.commit()
    assert _conflicts(recording) == (0, 1)
    assert _ended(recording) == {"committed": 1, "rolled_back": 1}
