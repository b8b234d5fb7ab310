"""The reference service in this process, on real servers, with its stand-in as a process of its own."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess


@pytest.fixture
def standin(start_service: Callable[..., ServiceProcess]) -> str:
    port = find_free_port()
    process = start_service([sys.executable, "-m", "app.standin", "--port", str(port)], {"PYTHONPATH": "."})
    process.wait_until_it_answers(f"http://127.0.0.1:{port}/rates?base=EUR")
    return f"http://127.0.0.1:{port}"


Open = Callable[..., Any]


@pytest.fixture
async def serve() -> AsyncIterator[Open]:
    """Return a client of the service with some settings; it ends with the test."""
    opened: list[tuple[httpx.AsyncClient, Any]] = []

    async def start(**settings: Any) -> httpx.AsyncClient:
        app: FastAPI = create_app(Settings(migrate_on_start=True, jwt_secret="s" * 40, **settings))
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
async def client(serve: Open, backend: dict[str, str], standin: str) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(**backend, rates_api_url=standin, insights_api_url=standin)
    return made


async def sign_up(client: httpx.AsyncClient, email: str = "jane@example.com", currency: str = "USD") -> dict[str, str]:
    answer = await client.post(
        "/api/auth/register", json={"email": email, "password": "correct horse", "currency": currency}
    )
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}
