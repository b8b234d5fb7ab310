"""The routes of the reference service, on PostgreSQL and Redis and on nothing at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mita_otel.stack.databases import Server
from tests.integration.app.conftest import sign_up

LUNCH = {"amount": "12.50", "category": "food", "description": "lunch"}


async def test_a_user_registers_logs_in_and_reads_and_changes_the_profile(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    login = await client.post("/api/auth/login", json={"email": "Jane@Example.com", "password": "correct horse"})
    headers = {"authorization": f"Bearer {login.json()['access_token']}"}
    assert (await client.patch("/api/users/me", json={"name": "Jane"}, headers=headers)).status_code == 200
    profile = (await client.get("/api/users/me", headers=headers)).json()
    assert (profile["email"], profile["name"], profile["currency"]) == ("jane@example.com", "Jane", "USD")


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    wrong = await client.post("/api/auth/login", json={"email": "jane@example.com", "password": "wrong"})
    unknown = await client.post("/api/auth/login", json={"email": "joe@example.com", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    told = [answer.json()["error"] for answer in (wrong, unknown)]
    assert told[0] == {**told[1], "error_id": told[0]["error_id"], "timestamp": told[0]["timestamp"]}


async def test_an_email_is_registered_once(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    again = await client.post("/api/auth/register", json={"email": "jane@example.com", "password": "correct horse"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "EMAIL_TAKEN")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "no address", "password": "correct horse"},
        {"email": "jane@example.com", "password": "short"},
        {"email": "jane@example.com", "password": "correct horse", "currency": "XXX"},
        {"email": "jane@example.com"},
    ],
)
async def test_a_registration_that_is_not_valid_is_refused_without_repeating_it(
    client: httpx.AsyncClient, body: dict[str, str]
) -> None:
    answer = await client.post("/api/auth/register", json=body)
    assert answer.status_code == 422
    assert answer.json()["success"] is False
    assert "short" not in answer.text


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic eDp5"}])
async def test_without_a_valid_token_there_is_nothing_to_see(client: httpx.AsyncClient, header: dict[str, str]) -> None:
    assert (await client.get("/api/transactions", headers=header)).status_code == 401


async def test_a_transaction_is_created_read_changed_and_deleted(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = (await client.post("/api/transactions", json=LUNCH, headers=headers)).json()
    assert (made["amount"], made["home_amount"], made["currency"]) == ("12.50", "12.50", "USD")
    path = f"/api/transactions/{made['id']}"
    assert (await client.get(path, headers=headers)).json() == made
    changed = await client.patch(path, json={"amount": "15", "category": "health"}, headers=headers)
    assert (changed.json()["home_amount"], changed.json()["category"]) == ("15.00", "health")
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.get(path, headers=headers)).status_code == 404


async def test_a_foreign_currency_is_converted_and_the_rate_is_cached(client: httpx.AsyncClient, standin: str) -> None:
    headers = await sign_up(client)
    euro = {**LUNCH, "amount": "100", "currency": "EUR"}
    first = await client.post("/api/transactions", json=euro, headers=headers)
    assert (first.json()["home_amount"], first.json()["home_currency"]) == ("108.00", "USD")
    async with httpx.AsyncClient() as behaviour:
        await behaviour.put(f"{standin}/behaviour", json={"error_rate": 1})
    assert (await client.post("/api/transactions", json=euro, headers=headers)).status_code == 201
    unknown = await client.post("/api/transactions", json={**euro, "currency": "GBP"}, headers=headers)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "RATES_UNAVAILABLE")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "NaN"},
        {"amount": "1e30"},
        {"amount": "1.00001"},
        {"currency": "usd"},
        {"currency": "ZZZ"},
        {"category": "gambling"},
        {"description": "x" * 501},
        {"occurred_on": "1066-10-14"},
        {"occurred_on": "2999-01-01"},
    ],
)
async def test_a_transaction_that_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    headers = await sign_up(client)
    answer = await client.post("/api/transactions", json={**LUNCH, **change}, headers=headers)
    assert answer.status_code == 422


async def test_users_do_not_see_one_another(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    made = (await client.post("/api/transactions", json=LUNCH, headers=jane)).json()
    path = f"/api/transactions/{made['id']}"
    assert (await client.get(path, headers=joe)).status_code == 404
    assert (await client.patch(path, json={"amount": "1"}, headers=joe)).status_code == 404
    assert (await client.delete(path, headers=joe)).status_code == 404
    assert (await client.get("/api/transactions", headers=joe)).json()["items"] == []


async def test_pages_hold_every_transaction_once(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = {(await client.post("/api/transactions", json=LUNCH, headers=headers)).json()["id"] for _ in range(7)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, Any] = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/api/transactions", params=query, headers=headers)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 7
    assert set(seen) == made
    wrong = await client.get("/api/transactions", params={"cursor": "nonsense"}, headers=headers)
    assert wrong.status_code == 422


async def test_the_dashboard_shows_what_is_spent_and_left_also_after_a_change(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    month = f"{datetime.now(UTC):%Y-%m}"
    budget = {"month": month, "category": "food", "limit": "100"}
    assert (await client.put("/api/budgets", json=budget, headers=headers)).status_code == 204
    for spent, remaining, percent in (("12.50", "87.50", "12.5"), ("25.00", "75.00", "25.0")):
        await client.post("/api/transactions", json=LUNCH, headers=headers)
        shown = (await client.get("/api/budgets/dashboard", headers=headers)).json()
        (line,) = shown["lines"]
        assert (line["spent"], line["remaining"], line["used_percent"]) == (spent, remaining, percent)


async def test_insights_are_about_the_months_spending(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.post("/api/transactions", json=LUNCH, headers=headers)
    answer = await client.get("/api/insights", headers=headers)
    assert answer.json()["insights"] == [{"type": "spending_pattern", "text": "Most was spent on food."}]


async def test_without_external_services_the_rest_works(tmp_path: Path, serve: Callable[..., Any]) -> None:
    client = await serve(database_url=f"sqlite:///{tmp_path / 'app.db'}")
    headers = await sign_up(client)
    assert (await client.post("/api/transactions", json=LUNCH, headers=headers)).status_code == 201
    foreign = await client.post("/api/transactions", json={**LUNCH, "currency": "EUR"}, headers=headers)
    assert foreign.status_code == 503
    remarks = (await client.get("/api/insights", headers=headers)).json()
    assert remarks["degraded"] == {"mode": "generic", "age_seconds": None}
    assert remarks["insights"] == [
        {"type": "spending_pattern", "text": "Most of this month's 12.50 USD went to food: 12.50 USD."}
    ]


async def test_a_redis_that_is_gone_costs_speed_only(
    postgres_url: str, redis_own: Server, standin: str, serve: Callable[..., Any]
) -> None:
    client = await serve(database_url=postgres_url, redis_url=redis_own.url, rates_api_url=standin)
    headers = await sign_up(client)
    redis_own.kill()
    answer = await client.post("/api/transactions", json={**LUNCH, "currency": "EUR"}, headers=headers)
    assert answer.status_code == 201


async def test_several_processes_may_migrate_at_once(postgres_url: str, serve: Callable[..., Any]) -> None:
    first = await serve(database_url=postgres_url)
    second = await serve(database_url=postgres_url)
    await sign_up(first)
    assert (await sign_up(second, "joe@example.com"))["authorization"]
