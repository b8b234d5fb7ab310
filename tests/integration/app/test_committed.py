"""What waits for a commit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.storage.committed import once_committed
from app.storage.database import Database


@pytest.fixture
async def database(sqlite_backend: dict[str, Any]) -> AsyncIterator[Database]:
    database = Database(Settings(database_url=sqlite_backend["database_url"]).sqlalchemy_url)
    yield database
    await database.close()


async def test_a_call_waits_for_the_commit_and_comes_once(database: Database) -> None:
    calls: list[str] = []
    async with database.session() as session:
        await session.execute(text("SELECT 1"))
        once_committed(session, lambda: calls.append("first"))
        once_committed(session, lambda: calls.append("second"))
        assert calls == []
        await session.commit()
        assert calls == ["first", "second"]
        await session.execute(text("SELECT 1"))
        await session.commit()
    assert calls == ["first", "second"]


async def test_a_call_for_what_was_rolled_back_never_comes(database: Database) -> None:
    calls: list[str] = []
    async with database.session() as session:
        await session.execute(text("SELECT 1"))
        once_committed(session, lambda: calls.append("rolled back"))
        await session.rollback()
        await session.execute(text("SELECT 1"))
        once_committed(session, lambda: calls.append("committed"))
        await session.commit()
    assert calls == ["committed"]


async def test_a_call_of_a_session_that_is_left_without_a_commit_never_comes(database: Database) -> None:
    calls: list[str] = []
    async with database.session() as session:
        await session.execute(text("SELECT 1"))
        once_committed(session, lambda: calls.append("left"))
    assert calls == []
