"""What the service does for a client that does not wait for ever."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from mita_otel.retries import REGISTRY
from tests.integration.app.conftest import sign_up

EURO = {"amount": "12.50", "category": "food", "currency": "EUR"}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def client(standin: str, postgres_backend: dict[str, Any], serve: Callable[..., Any]) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(**postgres_backend, rates_api_url=standin, background_work=False)
    return made


@pytest.fixture
async def operator(postgres_backend: dict[str, Any], client: httpx.AsyncClient) -> AsyncIterator[asyncpg.Connection]:
    assert client is not None
    connection = await asyncpg.connect(postgres_backend["database_url"])
    yield connection
    await connection.close()


async def test_a_locked_table_is_answered_in_time_and_leaves_nothing_behind(
    client: httpx.AsyncClient, operator: asyncpg.Connection
) -> None:
    headers = await sign_up(client)
    transaction = operator.transaction()
    await transaction.start()
    await operator.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    answer = await client.get("/api/transactions", headers={**headers, "x-request-timeout": "0.5"})
    took = time.monotonic() - began
    assert await operator.fetchval(WAITING) == 0, "the statement is no longer there, though the table is locked"
    await transaction.rollback()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT_8001")
    assert took < 2.0  # as in the tests of the room
    assert (await client.get("/api/transactions", headers=headers)).status_code == 200


async def test_a_slow_api_is_answered_in_time_and_keeps_its_breaker_closed(
    client: httpx.AsyncClient, behave: Callable[..., Any]
) -> None:
    headers = {**await sign_up(client), "x-request-timeout": "0.3"}
    await behave(latency=20)
    for _ in range(6):  # more than open a breaker
        began = time.monotonic()
        answer = await client.post("/api/transactions", json=EURO, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT_8001")
        assert time.monotonic() - began < 2.0
    await behave()
    headers.pop("x-request-timeout")
    assert (await client.post("/api/transactions", json=EURO, headers=headers)).status_code == 201


async def test_a_call_that_fails_once_is_made_again(client: httpx.AsyncClient, behave: Callable[..., Any]) -> None:
    headers = await sign_up(client)
    before = REGISTRY.statistics()["rates"]
    await behave(error_rate=1.0)
    assert (await client.post("/api/transactions", json=EURO, headers=headers)).status_code == 503
    after = REGISTRY.statistics()["rates"]
    assert (after.calls - before.calls, after.attempts - before.attempts) == (1, 3)
    await behave()
    assert (await client.post("/api/transactions", json=EURO, headers=headers)).status_code == 201


@pytest.mark.parametrize("value", ["-1", "soon", "1e9", "9" * 40, "0", "\x00"])
async def test_nonsense_is_no_deadline(client: httpx.AsyncClient, value: str) -> None:
    headers = {**await sign_up(client), "x-request-timeout": value, "grpc-timeout": value}
    assert (await client.get("/api/transactions", headers=headers)).status_code == 200
