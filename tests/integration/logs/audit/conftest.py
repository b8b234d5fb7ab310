"""A database with the audit log's tables, and an audit log in this process."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mita_otel.logs import audit
from mita_otel.logs.audit import schema
from mita_otel.logs.audit.database import Database, read_url
from mita_otel.logs.audit.keys import read_keys
from mita_otel.logs.audit.reading import Asked, Verified, verify_database
from mita_otel.logs.audit.statistics import statistics
from mita_otel.settings import Settings

KEY = "k1:" + "s" * 40


class Stored:
    """What is in a database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = Database(read_url(url))

    async def migrate(self) -> None:
        await self._database.run(schema.upgrade)

    async def execute(self, *statements: str) -> None:
        def run(connection: Any) -> None:
            for statement in statements:
                connection.execute(text(statement))

        await self._database.run(run)

    async def rows(self, query: str) -> list[Any]:
        async with self._database.connect() as connection:
            return list((await connection.execute(text(query))).all())

    async def events(self, action: str | None = None) -> list[dict[str, Any]]:
        """Return the bodies of the records, by chain and place."""
        found = [json.loads(row[0]) for row in await self.rows("SELECT body FROM audit_logs ORDER BY chain, seq")]
        return [body for body in found if action in {None, body["action"]}]

    async def verified(self, **asked: Any) -> Verified:
        return await verify_database(read_url(self.url), read_keys(KEY), Asked(**asked), lambda _: None)

    async def close(self) -> None:
        await self._database.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Stored]:
    stored = Stored(url)
    try:
        await stored.migrate()
        yield stored
    finally:
        await stored.close()


@pytest.fixture(params=["postgresql", "sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'audit.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def stored(address: str) -> AsyncIterator[Stored]:
    """Either database."""
    async with opened(address) as found:
        yield found


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[Stored]:
    async with opened(postgres_url) as found:
        yield found


Run = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run an audit log on a database while a block runs."""

    def start(url: str, **variables: str) -> AbstractAsyncContextManager[None]:
        given = {"MITA_AUDIT_SIGNING_KEY": KEY, "OTEL_SERVICE_NAME": "test", **variables}
        return audit.running(url, folder=tmp_path / "journals", settings=Settings.read(given))

    return start


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    """Let each test hear of a failure that another one has heard of within the minute."""
    statistics._told.clear()
