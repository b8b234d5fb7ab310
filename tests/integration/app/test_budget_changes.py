"""Budgets that several requests change at once, and what a user is."""

import asyncio

import httpx
import pytest

from app.domain.money import MAXIMUM
from tests.integration.app.conftest import sign_up

PATH = "/api/budgets"
BUDGET = {"month": "2026-11", "category": "food", "limit": "100"}


async def change(client: httpx.AsyncClient, headers: dict[str, str], by: object) -> httpx.Response:
    body = {"month": "2026-11", "category": "food", "by": by}
    return await client.post(f"{PATH}/changes", json=body, headers=headers)


async def limit(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    shown = (await client.get(f"{PATH}/dashboard", params={"month": "2026-11"}, headers=headers)).json()
    return str(shown["lines"][0]["limit"])


async def test_of_changes_at_once_none_is_lost(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.put(PATH, json=BUDGET, headers=headers)
    changes = ["1.01", "-0.50"] * 15
    answers = await asyncio.gather(*(change(client, headers, by) for by in changes))
    assert {answer.status_code for answer in answers} == {200}
    assert await limit(client, headers) == "107.65"
    assert len({answer.json()["limit"] for answer in answers}) > 1


async def test_a_change_says_what_the_budget_is_now(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.put(PATH, json=BUDGET, headers=headers)
    answer = await change(client, headers, "-99.99")
    assert answer.json() == {"month": "2026-11", "category": "food", "limit": "0.01"}
    assert await limit(client, headers) == "0.01"


@pytest.mark.parametrize("by", ["-100", "-1000000000000", str(MAXIMUM)])
async def test_a_budget_stays_within_its_bounds(client: httpx.AsyncClient, by: str) -> None:
    headers = await sign_up(client)
    await client.put(PATH, json=BUDGET, headers=headers)
    answer = await change(client, headers, by)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "BUDGET_OUT_OF_BOUNDS")
    assert await limit(client, headers) == "100.00"


async def test_of_withdrawals_at_once_those_succeed_that_leave_something(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.put(PATH, json=BUDGET, headers=headers)
    answers = await asyncio.gather(*(change(client, headers, "-30") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 409, 409, 409]
    assert await limit(client, headers) == "10.00"


async def test_a_budget_that_is_not_there_is_not_changed(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    assert (await change(client, headers, "5")).status_code == 404


@pytest.mark.parametrize("by", ["NaN", "Infinity", "0.001", 1.5, True, None, "1e13", ""])
async def test_a_change_that_makes_no_sense_is_refused(client: httpx.AsyncClient, by: object) -> None:
    headers = await sign_up(client)
    await client.put(PATH, json=BUDGET, headers=headers)
    assert (await change(client, headers, by)).status_code == 422


async def test_the_largest_amount_is_one_that_can_be_entered(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    largest = {"amount": str(MAXIMUM), "category": "food"}
    assert (await client.post("/api/transactions", json=largest, headers=headers)).status_code == 201
    more = {"amount": f"{MAXIMUM}.01", "category": "food"}
    assert (await client.post("/api/transactions", json=more, headers=headers)).status_code == 422
