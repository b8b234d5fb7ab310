"""The reference service in this process, on real servers, with its stand-in as a process of its own."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.clock import Clock, utc_now
from app.main import create_app
from app.settings import Settings
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess


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
async def serve() -> AsyncIterator[Open]:
    """Return a client of the service with some settings; it ends with the test.

    Ask for it after the servers that it uses: it then ends before them.
    """
    opened: list[tuple[httpx.AsyncClient, Any]] = []

    async def start(now: Clock = utc_now, **settings: Any) -> httpx.AsyncClient:
        app: FastAPI = create_app(Settings(migrate_on_start=True, jwt_secret="s" * 40, **settings), now)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
        opened.append((client, lifespan))
        return client

    yield start
    for client, lifespan in opened:
        await client.aclose()
        await lifespan.__aexit__(None, None, None)


@pytest.fixture(params=["postgresql and redis", "sqlite and memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings for real servers, and for nothing but a file."""
    if request.param == "sqlite and memory":
        return {"database_url": f"sqlite:///{tmp_path / 'app.db'}"}
    return {
        "database_url": request.getfixturevalue("postgres_url"),
        "redis_url": request.getfixturevalue("redis_url"),
    }


@pytest.fixture
async def client(backend: dict[str, str], standin: str, serve: Open) -> httpx.AsyncClient:
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
