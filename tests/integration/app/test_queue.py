"""Work kept in tables is claimed by one worker at a time, and never lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import null

from app.settings import Settings
from app.storage import Database, Job
from app.storage.queue import LEASE, LONGEST_WAIT, claim, next_due

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KIND = "test"


@pytest.fixture
async def database(backend: dict[str, Any]) -> AsyncIterator[Database]:
    database = Database(Settings(database_url=backend["database_url"]).sqlalchemy_url)
    yield database
    await database.close()


async def put(database: Database, *due: datetime | None) -> None:
    async with database.session() as session:
        for each in due:
            # A None that is not said in SQL's own words is the column's default.
            session.add(Job(kind=KIND, payload={}, due_at=null() if each is None else each, created_at=NOW))
        await session.commit()


async def take(database: Database, now: datetime = NOW, limit: int = 10) -> list[Job]:
    async with database.session() as session:
        return list(await claim(session, Job, now, limit, Job.kind == KIND))


async def test_what_is_due_is_claimed_oldest_first_and_no_more_than_asked(database: Database) -> None:
    await put(database, *(NOW - timedelta(seconds=number) for number in range(5)), NOW + timedelta(seconds=1))
    first = await take(database, limit=3)
    assert {job.attempts for job in first} == {1}
    assert len(first) == 3
    second = await take(database)
    assert len(second) == 2
    assert {job.id for job in first}.isdisjoint(job.id for job in second)
    assert await take(database) == []


async def test_claimed_rows_come_in_the_order_they_were_made_in(database: Database) -> None:
    made = [NOW - timedelta(seconds=number) for number in (3, 9, 1, 7, 5)]
    async with database.session() as session:
        for each in made:
            session.add(Job(kind=KIND, payload={}, due_at=NOW, created_at=each))
        await session.commit()
    assert [job.created_at for job in await take(database)] == sorted(made)


async def test_many_workers_at_once_get_rows_of_their_own(database: Database) -> None:
    await put(database, *([NOW] * 40))
    batches = await asyncio.gather(*(take(database, limit=7) for _ in range(8)))
    claimed = [job.id for batch in batches for job in batch]
    assert len(claimed) == len(set(claimed))
    rest = [job.id for job in await take(database, limit=100)]
    assert len(claimed) + len(rest) == 40


async def test_a_row_whose_worker_is_gone_comes_due_again(database: Database) -> None:
    await put(database, NOW)
    (first,) = await take(database)
    assert await take(database, NOW + LEASE - timedelta(seconds=1)) == []
    (again,) = await take(database, NOW + LEASE)
    assert (again.id, again.attempts) == (first.id, 2)


async def test_after_a_clock_that_is_set_back_nothing_waits_for_the_old_time(database: Database) -> None:
    await put(database, NOW)
    assert len(await take(database, NOW - LONGEST_WAIT - timedelta(seconds=1))) == 1
    assert await take(database, NOW - LONGEST_WAIT - timedelta(seconds=1)) == []


async def test_what_was_given_up_is_never_claimed(database: Database) -> None:
    await put(database, None)
    assert await take(database, NOW + timedelta(days=365)) == []
    async with database.session() as session:
        assert await next_due(session, Job, Job.kind == KIND) is None


async def test_the_next_row_says_when_to_look_again(database: Database) -> None:
    await put(database, NOW + timedelta(seconds=9), NOW + timedelta(seconds=5))
    async with database.session() as session:
        assert await next_due(session, Job, Job.kind == KIND) == NOW + timedelta(seconds=5)
        assert await next_due(session, Job, Job.kind == "other") is None
