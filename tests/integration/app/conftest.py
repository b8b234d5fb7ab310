"""The reference service in this process, on real servers, with its stand-in as a process of its own."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app import security
from app.clock import Clock, utc_now
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.storage import Database
from mita_otel.stack.databases import Server
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess
from tests.integration.app.hashes import HASHER, UNKNOWN


@pytest.fixture(scope="session")
def shared_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One stand-in for the whole run: what it remembers is told apart by whom it is about."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "app.standin", "--port", str(port)]
    folder = tmp_path_factory.mktemp("standin")
    process = ServiceProcess(command, {"PYTHONPATH": "."}, folder, url=f"{url}/rates?base=EUR")
    yield url
    process.kill()


@pytest.fixture
def standin(shared_standin: str) -> Iterator[str]:
    """The stand-in, behaving well until a test says otherwise."""
    yield shared_standin
    httpx.put(f"{shared_standin}/behaviour", json={}).raise_for_status()


Open = Callable[..., Any]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Open]:
    """Return a client of the service with some settings; it ends with the test.

    Ask for it after the servers that it uses: it then ends before them.
    """
    opened: list[tuple[httpx.AsyncClient, Any]] = []

    async def start(now: Clock = utc_now, **settings: Any) -> httpx.AsyncClient:
        own = {"migrate_on_start": True, "jwt_secret": "s" * 40, "audit_folder": tmp_path / "audit"}
        merged: dict[str, Any] = own | settings
        app: FastAPI = create_app(Settings(**merged), now)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
        opened.append((client, lifespan))
        return client

    yield start
    for client, lifespan in opened:
        await client.aclose()
        await lifespan.__aexit__(None, None, None)


@pytest.fixture(scope="session", autouse=True)
def _no_rate_limits() -> Iterator[None]:
    """Let tests register whom they like; those of the limits switch them on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MITA_RATE_LIMITING", "false")
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "_hasher", HASHER)
        patch.setattr(security, "_unknown_user_hash", UNKNOWN)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is migrated once, and copied for each test."""
    file = tmp_path_factory.mktemp("template") / "app.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(shared_postgres: Server, administer: Callable[[str], None]) -> str:
    """A database that is migrated once, and copied for each test."""
    administer("CREATE DATABASE app_template")
    migrate(shared_postgres.url_of("app_template"))
    return "app_template"


def migrate(address: str) -> None:
    async def upgrade() -> None:
        database = Database(Settings(database_url=address).sqlalchemy_url)
        await database.migrate()
        await database.close()

    loop = asyncio.new_event_loop()  # never made the current one, which is pytest-asyncio's to choose
    loop.run_until_complete(upgrade())
    loop.close()


@pytest.fixture
def sqlite_backend(sqlite_template: Path, tmp_path: Path) -> dict[str, Any]:
    """Settings for nothing but a file."""
    shutil.copy(sqlite_template, tmp_path / "app.db")
    return {"database_url": f"sqlite:///{tmp_path / 'app.db'}", "migrate_on_start": False}


class Databases:
    """Migrated databases that are used again: one that is made for each test would cost it a seventh of a second.

    Args:
        server: where they are.
        administer: runs one statement there.
        template: is copied where none is free.
    """

    def __init__(self, server: Server, administer: Callable[[str], None], template: str) -> None:
        self._server = server
        self._administer = administer
        self._template = template
        self._free: list[str] = []

    def take(self) -> str:
        """Return the name of an empty one."""
        if self._free:
            return self._free.pop()
        name = f"app_{uuid4().hex}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name

    def give_back(self, name: str) -> None:
        """Empty one, whoever still works with it."""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.wait_for(self._empty(name), 30))
        loop.close()
        self._free.append(name)

    async def _empty(self, name: str) -> None:
        connection = await asyncpg.connect(self._server.url_of(name))
        await connection.execute(_ALONE)
        await connection.execute(_EMPTY)
        await connection.close()


_ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

# As a replica: neither foreign keys nor the triggers of what is only added to are asked.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'alembic_version'
  LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  FOR name IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
  LOOP EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART'; END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def postgres_databases(shared_postgres: Server, administer: Callable[[str], None], postgres_template: str) -> Databases:
    """The worker's databases."""
    return Databases(shared_postgres, administer, postgres_template)


@pytest.fixture
def postgres_backend(
    postgres_databases: Databases, shared_postgres: Server, redis_url: str
) -> Iterator[dict[str, Any]]:
    """Settings for real servers."""
    name = postgres_databases.take()
    yield {"database_url": shared_postgres.url_of(name), "redis_url": redis_url, "migrate_on_start": False}
    postgres_databases.give_back(name)


@pytest.fixture(params=["postgresql and redis", "sqlite and memory"])
def backend(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings for real servers, and for nothing but a file."""
    name = "sqlite_backend" if request.param == "sqlite and memory" else "postgres_backend"
    found: dict[str, Any] = request.getfixturevalue(name)
    return found


@pytest.fixture
async def client(backend: dict[str, Any], standin: str, serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(**backend, **external(standin))
    return made


def external(standin: str) -> dict[str, Any]:
    """Settings that make the stand-in every external API."""
    apis = ("rates_api_url", "insights_api_url", "messages_api_url", "store_api_url", "google_oauth_url")
    return {**dict.fromkeys(apis, standin), "google_client_id": "mita", "google_client_secret": "s" * 24}


async def sign_up(client: httpx.AsyncClient, email: str = "jane@example.com", currency: str = "USD") -> dict[str, str]:
    answer = await client.post(
        "/api/auth/register", json={"email": email, "password": "correct horse", "currency": currency}
    )
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


class SteppingClock:
    """A clock that a test sets on and back."""

    def __init__(self) -> None:
        self.step = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.step


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


def held(client: httpx.AsyncClient) -> Services:
    """What the application behind a client holds."""
    app: Any = client._transport.app  # type: ignore[attr-defined]  # httpx keeps it without saying so
    services: Services = app.state.services
    return services


def an_email() -> str:
    """An address of the test's own: the stand-in's inbox is everybody's."""
    return f"{uuid4().hex[:12]}@example.com"


async def inbox(standin: str, to: str) -> list[dict[str, str]]:
    async with httpx.AsyncClient() as control:
        found: list[dict[str, str]] = (await control.get(f"{standin}/inbox", params={"to": to})).json()
        return found


@pytest.fixture
async def behave(standin: str) -> AsyncIterator[Callable[..., Any]]:
    """Change how the stand-in answers from now on."""
    async with httpx.AsyncClient() as control:

        async def change(**behaviour: object) -> None:
            assert (await control.put(f"{standin}/behaviour", json=behaviour)).status_code == 200

        yield change
