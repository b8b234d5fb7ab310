"""What the service does while something that it depends on does not work."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from app.clients import upstream
from app.storage import User
from mita_otel.breakers import OPENAI
from mita_otel.stack.databases import Server
from tests.integration.app.conftest import sign_up

LUNCH = {"amount": "12.50", "category": "food"}
EURO = {**LUNCH, "currency": "EUR"}


@pytest.fixture
async def client(standin: str, tmp_path: Path, serve: Callable[..., Any]) -> httpx.AsyncClient:
    address = f"sqlite:///{tmp_path / 'app.db'}"
    made: httpx.AsyncClient = await serve(database_url=address, rates_api_url=standin, insights_api_url=standin)
    return made


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("", id="nothing"),
        pytest.param("<html>", id="not JSON"),
        pytest.param("[]", id="a list"),
        pytest.param('{"rates": []}', id="rates in a list"),
        pytest.param('{"rates": {"USD": null}}', id="null"),
        pytest.param('{"rates": {"USD": "NaN"}}', id="not a number"),
        pytest.param('{"rates": {"USD": "-1"}}', id="negative"),
        pytest.param('{"rates": {"USD": "1e30"}}', id="absurd"),
        pytest.param('{"rates": {"USD": 1e999}}', id="infinite"),
        pytest.param("[" * 100_000, id="deeply nested"),
        pytest.param('"' + "x" * 300_000 + '"', id="too long"),
    ],
)
async def test_a_rates_api_that_talks_nonsense_is_an_outage(
    client: httpx.AsyncClient, behave: Callable[..., Any], garbage: str
) -> None:
    headers = await sign_up(client)
    await behave(garbage=garbage)
    answer = await client.post("/api/transactions", json=EURO, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "RATES_UNAVAILABLE")
    await behave()
    assert (await client.post("/api/transactions", json=EURO, headers=headers)).status_code == 201


@pytest.mark.parametrize("garbage", ["", "[]", '{"insights": [{"type": 1}]}', '{"insights": 5}'])
async def test_an_insights_api_that_talks_nonsense_is_an_outage(
    client: httpx.AsyncClient, behave: Callable[..., Any], garbage: str
) -> None:
    headers = await sign_up(client)
    await behave(garbage=garbage)
    answer = await client.get("/api/insights", headers=headers)
    assert (answer.status_code, answer.headers["x-degraded"]) == (200, "ai_insights;mode=generic")


async def test_insights_go_down_the_ladder_while_their_api_is_away_and_climb_back(
    client: httpx.AsyncClient, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)

    async def mode(month: str | None = None) -> str:
        answer = await client.get("/api/insights", params={"month": month} if month else {}, headers=headers)
        assert answer.status_code == 200
        return str((answer.json()["degraded"] or {"mode": "full"})["mode"])

    assert await mode() == "full"
    await behave(error_rate=1)
    assert [await mode(), await mode("2026-01")] == ["cached", "generic"]
    await behave()
    assert await mode() == "full"


async def test_an_api_that_answers_200_with_nonsense_is_left_alone_too(
    client: httpx.AsyncClient, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)
    await behave(garbage='{"error": "overloaded"}')
    for _ in range(OPENAI.policy.failure_threshold + 1):
        answer = await client.get("/api/insights", headers=headers)
        assert answer.headers["x-degraded"] == "ai_insights;mode=generic"
    await behave()
    assert (await client.get("/api/insights", headers=headers)).headers["x-degraded"] == "ai_insights;mode=generic"


async def test_a_slow_rates_api_is_given_up_at_the_deadline(
    client: httpx.AsyncClient, behave: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "DEADLINE", 0.3)
    headers = await sign_up(client)
    await behave(latency=20)
    began = time.monotonic()
    answer = await client.post("/api/transactions", json=EURO, headers=headers)
    assert answer.status_code == 503
    assert time.monotonic() - began < 5


async def test_an_exact_rate_is_not_bent_by_a_float(client: httpx.AsyncClient, behave: Callable[..., Any]) -> None:
    headers = await sign_up(client)
    await behave(garbage='{"rates": {"USD": 1.000000000001}}')
    made = await client.post("/api/transactions", json={**EURO, "amount": "500000000000"}, headers=headers)
    assert made.json()["home_amount"] == "500000000000.50"


async def test_a_change_of_a_foreign_amount_is_converted_again(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = (await client.post("/api/transactions", json=EURO, headers=headers)).json()
    path = f"/api/transactions/{made['id']}"
    changed = (await client.patch(path, json={"amount": "100"}, headers=headers)).json()
    assert (changed["amount"], changed["currency"], changed["home_amount"]) == ("100.00", "EUR", "108.00")
    assert (await client.get(path, headers=headers)).json() == changed


async def test_nonsense_in_the_cache_is_asked_for_again(
    standin: str, redis_url: str, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    client = await serve(database_url=f"sqlite:///{tmp_path / 'app.db'}", redis_url=redis_url, rates_api_url=standin)
    headers = await sign_up(client)
    app: Any = client._transport.app
    await app.state.services.cache.set("rate:EUR:USD", "a lot", 60)
    answer = await client.post("/api/transactions", json={**EURO, "amount": "100"}, headers=headers)
    assert answer.json()["home_amount"] == "108.00"


async def test_a_redis_that_hangs_costs_at_most_its_timeouts(
    black_hole: int, standin: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, serve: Callable[..., Any]
) -> None:
    client = await serve(
        database_url=f"sqlite:///{tmp_path / 'app.db'}",
        redis_url=f"redis://127.0.0.1:{black_hole}/0",
        rates_api_url=standin,
    )
    headers = await sign_up(client)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="app.clients.cache"):
        assert (await client.post("/api/transactions", json=EURO, headers=headers)).status_code == 201
    assert time.monotonic() - began < 8
    assert {record.levelname for record in caplog.records} == {"WARNING"}


async def test_without_its_database_the_service_says_so_and_comes_back(
    postgres_own: Server, serve: Callable[..., Any]
) -> None:
    client = await serve(database_url=postgres_own.url)
    headers = await sign_up(client)
    postgres_own.stop()
    answer = await client.get("/api/transactions", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert (await client.get("/health")).json() == {"status": "ok"}
    postgres_own.start()
    assert (await client.get("/api/transactions", headers=headers)).status_code == 200


async def test_a_log_never_holds_a_password_or_its_hash(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await sign_up(client)
        await client.post("/api/auth/login", json={"email": "jane@example.com", "password": "correct horse"})
        await client.post("/api/auth/register", json={"email": "jane@example.com", "password": "correct horse"})
    logged = "\n".join(str(record.__dict__) for record in caplog.records if record.name.startswith("app"))
    assert "user registered" in logged
    assert "correct horse" not in logged
    assert "$argon2" not in logged


async def test_an_error_of_the_database_does_not_repeat_its_parameters(client: httpx.AsyncClient) -> None:
    app: Any = client._transport.app  # type: ignore[attr-defined]  # httpx keeps it without saying so
    async with app.state.services.database.session() as session:
        session.add(User(email="jane@example.com", password_hash="$argon2-secret", currency=None))
        with pytest.raises(DBAPIError) as failed:
            await session.commit()
    assert "INSERT INTO users" in str(failed.value)
    assert "$argon2-secret" not in str(failed.value)
