"""Data for demonstrations: there at once, the same each time, twice is once."""

import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.households import household
from app.security import hash_password
from app.seed import fill
from app.settings import Settings
from app.storage import Analytics, Base, Database, Notification, Transaction
from tests.fixtures.service import ServiceProcess
from tests.integration.app.conftest import Open

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
async def database(backend: dict[str, Any]) -> AsyncIterator[Database]:
    database = Database(Settings(database_url=backend["database_url"]).sqlalchemy_url)
    yield database
    await database.close()


async def counts(database: Database) -> dict[str, int]:
    async with database.session() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


async def test_the_same_seed_twice_is_the_same_data_once(database: Database) -> None:
    first = await fill(database, users=3, months=2, seed=1, now=NOW)
    once = await counts(database)
    assert await fill(database, users=3, months=2, seed=1, now=NOW) == first
    assert await counts(database) == once
    assert once["transactions"] == first.transactions > 100
    await fill(database, users=3, months=2, seed=2, now=NOW)
    assert (await counts(database))["users"] == 6


async def test_a_later_day_adds_what_was_spent_since(database: Database) -> None:
    await fill(database, users=3, months=2, seed=1, now=NOW)
    before = (await counts(database))["transactions"]
    await fill(database, users=3, months=2, seed=1, now=NOW + timedelta(days=9))
    after = await counts(database)
    assert after["transactions"] > before
    assert after["users"] == 3


async def test_everything_that_a_user_sees_is_there_and_agrees(database: Database) -> None:
    await fill(database, users=8, months=3, seed=1, now=NOW)
    found = await counts(database)
    assert {name for name, count in found.items() if count} == {
        *("users", "transactions", "budgets", "goals", "purchases"),
        *("notifications", "analytics", "monthly_totals"),
    }
    async with database.session() as session:
        latest = await session.scalar(select(func.max(Transaction.occurred_on)))
        states = set((await session.scalars(select(Notification.state))).all())
        as_of = set((await session.scalars(select(Analytics.as_of))).all())
    assert latest is not None
    assert latest <= NOW.date()
    assert states == {"delivered"}
    assert as_of == {NOW}


async def test_five_thousand_transactions_take_seconds(database: Database) -> None:
    began = time.process_time()
    filled = await fill(database, users=30, months=6, seed=1, now=NOW)
    assert filled.transactions > 5000
    assert time.process_time() - began < 10


async def test_a_seeded_user_logs_in_and_looks_around(backend: dict[str, Any], serve: Open) -> None:
    database = Database(Settings(database_url=backend["database_url"]).sqlalchemy_url)
    password_hash = await hash_password("correct horse")
    now = datetime.now(UTC)
    await fill(database, users=1, months=3, seed=1, now=now, password_hash=password_hash)
    await fill(database, users=1, months=3, seed=2, now=now)
    await database.close()
    client = await serve(**backend)
    emails = [household(seed, 1).email for seed in (1, 2)]
    answers = [
        await client.post("/api/auth/login", json={"email": email, "password": "correct horse"}) for email in emails
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    headers = {"authorization": f"Bearer {answers[0].json()['access_token']}"}
    summary = (await client.get("/api/analytics/summary", headers=headers)).json()
    assert not summary["stale"]
    assert len(summary["months"]) >= 2
    for path in ("/api/transactions", "/api/calendar", "/api/goals", "/api/notifications", "/api/budgets/dashboard"):
        assert (await client.get(path, headers=headers)).status_code == 200


def test_the_program_fills_the_database_that_it_is_given(
    sqlite_backend: dict[str, Any], start_service: Callable[..., ServiceProcess]
) -> None:
    environment = {"DATABASE_URL": sqlite_backend["database_url"], "PYTHONPATH": "."}
    command = [sys.executable, "-m", "app.seed", "--users", "2", "--months", "1"]
    process = start_service(command, environment)
    assert process.wait(60) == 0, process.stderr
    assert process.stdout.startswith("2 users, ")


@pytest.mark.parametrize("option", [["--users", "0"], ["--months", "61"], ["--users", "x"]])
def test_the_program_refuses_what_it_cannot_do(option: list[str], start_service: Callable[..., ServiceProcess]) -> None:
    process = start_service([sys.executable, "-m", "app.seed", *option], {"PYTHONPATH": "."})
    assert process.wait(60) == 2
    assert option[0] in process.stderr
