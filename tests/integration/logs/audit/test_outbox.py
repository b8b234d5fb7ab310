"""RESTRICTED events are kept exactly if the transaction that they are about is."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from mita_otel.logs import audit
from mita_otel.logs.audit import writer
from mita_otel.logs.audit.database import Database, read_url
from tests.fixtures.polling import eventually_async
from tests.integration.logs.audit.conftest import Run, Stored


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is looked into at once, not after a second."""
    monkeypatch.setattr(writer, "INTERVAL", 0.05)


@pytest.fixture
async def session(stored: Stored) -> AsyncIterator[AsyncSession]:
    engine = create_async_engine(read_url(stored.url), poolclass=NullPool)
    async with AsyncSession(engine) as made:
        yield made
    await engine.dispose()


async def _arrived(stored: Stored, count: int, action: str = "user.deleted") -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        found = await stored.events(action)
        return found if len(found) >= count else []

    return await eventually_async(look)


async def test_what_is_committed_is_chained_and_leaves_the_outbox(
    stored: Stored, session: AsyncSession, run: Run
) -> None:
    async with run(stored.url):
        for number in range(3):
            await audit.restricted(session, "user.deleted", user="root", resource=("user", number))
            await session.commit()
        found = await _arrived(stored, 3)
    assert [(event["sensitivity"], event["resource_id"], event["seq"]) for event in found] == [
        ("restricted", str(number), number + 1) for number in range(3)
    ]
    assert await stored.rows("SELECT * FROM audit_outbox") == []
    verified = await stored.verified()
    assert (verified.is_sound, len(verified.verdicts)) == (True, 2)


async def test_what_is_rolled_back_was_never_recorded(stored: Stored, session: AsyncSession, run: Run) -> None:
    async with run(stored.url):
        await audit.restricted(session, "user.deleted", resource=("user", 1))
        await session.rollback()
        await audit.restricted(session, "user.deleted", resource=("user", 2))
        await session.commit()
        found = await _arrived(stored, 1)
    assert [event["resource_id"] for event in found] == ["2"]


async def test_what_a_process_left_behind_is_moved_by_the_next(stored: Stored, session: AsyncSession, run: Run) -> None:
    await audit.restricted(session, "user.deleted", resource=("user", 1), before={"name": "Jane"})
    await session.commit()
    async with run(stored.url):
        (found,) = await _arrived(stored, 1)
    assert found["changes"] == {"name": {"before": "Jane", "after": None}}


async def test_two_processes_move_each_event_once(stored: Stored, session: AsyncSession, run: Run) -> None:
    for number in range(150):
        await audit.restricted(session, "user.deleted", resource=("user", number))
    await session.commit()
    async with run(stored.url), run(stored.url):
        found = await _arrived(stored, 150)
    assert sorted(int(event["resource_id"]) for event in found) == list(range(150))
    assert (await stored.verified()).is_sound


async def test_an_event_that_cannot_be_read_is_recorded_as_such_and_holds_up_nothing(
    stored: Stored, session: AsyncSession, run: Run
) -> None:
    row = "('x', '2020-01-01T00:00:00+00:00', 'garbage')"
    await session.execute(text(f"INSERT INTO audit_outbox (id, created_at, event) VALUES {row}"))
    await audit.restricted(session, "user.deleted", resource=("user", 1))
    await session.commit()
    async with run(stored.url):
        await _arrived(stored, 1)
    (found,) = await stored.events("audit.outbox_unreadable")
    assert (found["event_type"], found["outbox_id"]) == ("security_violation", "x")


async def test_a_chain_goes_on_where_the_database_says_after_a_failure(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        audit.record(audit.EventType.REQUEST, "x.y")
    (chain,) = {event["chain"] for event in await stored.events()}
    database = Database(read_url(stored.url))
    head = await database.head(chain)
    assert (head.seq, (await database.head("nobody's")).seq) == (3, 0)
    await database.close()
