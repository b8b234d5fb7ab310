"""Input that once reached the database or the arithmetic: it is refused, and nothing of the inside is told."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.main import create_app
from app.security import Caller, Tokens
from app.settings import Settings
from tests.integration.app.conftest import sign_up

LUNCH = {"amount": "12.50", "category": "food"}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"amount": "1", "category": "food", "description": "a\\u0000b"}', id="nul"),
        pytest.param(b'{"amount": "1", "category": "food", "description": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"amount": "0.001", "category": "food"}', id="less than a cent"),
        pytest.param(b'{"amount": "1.5", "category": "food", "currency": "JPY"}', id="half a yen"),
        pytest.param(b'{"amount": 12.34, "category": "food"}', id="float"),
        pytest.param(b'{"amount": true, "category": "food"}', id="boolean"),
        pytest.param(
            b'{"amount": "1000000000000", "category": "food", "currency": "GBP"}', id="too much when converted"
        ),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="deeply nested"),
        pytest.param(b'{"amount": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    headers = await sign_up(client)
    answer = await client.post("/api/transactions", content=content, headers={**headers, **JSON})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["success"] is False
    assert (await client.get("/api/transactions", headers=headers)).json()["items"] == []


@pytest.mark.parametrize("email", ["a\x00@example.com", "\u0131" * 200 + "@example.com", "a@b", "a b@example.com"])
async def test_an_address_that_no_mail_reaches_is_refused(client: httpx.AsyncClient, email: str) -> None:
    answer = await client.post("/api/auth/register", json={"email": email, "password": "correct horse"})
    assert answer.status_code == 422


@pytest.mark.parametrize("name", ["a\x00b", "x" * 101])
async def test_a_name_that_cannot_be_stored_is_refused(client: httpx.AsyncClient, name: str) -> None:
    headers = await sign_up(client)
    assert (await client.patch("/api/users/me", json={"name": name}, headers=headers)).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"limit": "0"},
        {"limit": "0.001"},
        {"month": "2026-13"},
        {"month": "26-01"},
        {"category": "gambling"},
        {"limit": 1.5},
    ],
)
async def test_a_budget_that_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    headers = await sign_up(client)
    budget = {"month": "2026-11", "category": "food", "limit": "100", **change}
    assert (await client.put("/api/budgets", json=budget, headers=headers)).status_code == 422


@pytest.mark.parametrize("change", [{"amount": "0.001"}, {"amount": "-1"}, {"category": "x"}, {"description": "\x00"}])
async def test_a_change_that_makes_no_sense_changes_nothing(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    headers = await sign_up(client)
    made = (await client.post("/api/transactions", json=LUNCH, headers=headers)).json()
    path = f"/api/transactions/{made['id']}"
    assert (await client.patch(path, json=change, headers=headers)).status_code == 422
    assert (await client.get(path, headers=headers)).json() == made


async def test_a_change_of_nothing_is_no_error(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = (await client.post("/api/transactions", json=LUNCH, headers=headers)).json()
    answer = await client.patch(f"/api/transactions/{made['id']}", json={}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, made)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "cursor=%00", "category=x", "since=never", "cursor=2026-01-01.x"]
)
async def test_a_list_that_cannot_be_asked_for_is_refused(client: httpx.AsyncClient, query: str) -> None:
    headers = await sign_up(client)
    assert (await client.get(f"/api/transactions?{query}", headers=headers)).status_code == 422


async def test_the_same_budget_set_many_times_at_once_is_set(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    budget = {"month": "2026-11", "category": "food", "limit": "100"}
    answers = await asyncio.gather(*(client.put("/api/budgets", json=budget, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {204}


async def test_a_user_of_another_database_is_told_to_log_in(client: httpx.AsyncClient) -> None:
    stranger = {"authorization": f"Bearer {Tokens('s' * 40, 60).issue(Caller(uuid4(), 'USD'))}"}
    budget = {"month": "2026-11", "category": "food", "limit": "100"}
    assert (await client.post("/api/transactions", json=LUNCH, headers=stranger)).status_code == 401
    assert (await client.put("/api/budgets", json=budget, headers=stranger)).status_code == 401


async def test_a_missing_token_says_which_kind_is_wanted(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/users/me")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_an_unexpected_fault_is_answered_without_its_details() -> None:
    app = create_app(Settings(jwt_secret="s" * 40))

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("the password is hunter2")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.get("/fault")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "SYSTEM_9001")
    assert "hunter2" not in answer.text
