"""Of many transactions each is judged by itself."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.storage import Job
from tests.integration.app.conftest import held, sign_up

PATH = "/api/transactions/bulk"
LUNCH = {"amount": "12.50", "category": "food"}
BAD = [
    {},
    {"amount": "-1", "category": "food"},
    {"amount": "0", "category": "food"},
    {"amount": "NaN", "category": "food"},
    {"amount": "Infinity", "category": "food"},
    {"amount": "1e30", "category": "food"},
    {"amount": 1.5, "category": "food"},
    {"amount": True, "category": "food"},
    {"amount": "1000000000001", "category": "food"},
    {"amount": "1000000000000", "category": "food", "currency": "GBP"},
    {"amount": "0.001", "category": "food"},
    {"amount": "1", "category": "gambling"},
    {"amount": "1", "category": "food", "currency": "XXX"},
    {"amount": "1", "category": "food", "description": "a\u0000b"},
    {"amount": "1", "category": "food", "occurred_on": "1066-10-14"},
    None,
    5,
    "text",
    [LUNCH],
]


async def count(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    page = (await client.get("/api/transactions", params={"limit": 100}, headers=headers)).json()
    return len(page["items"])


async def test_of_a_list_half_wrong_the_good_half_is_stored_and_each_is_told_what_became_of_it(
    client: httpx.AsyncClient,
) -> None:
    headers = await sign_up(client)
    items = [each for bad in BAD for each in (LUNCH, bad)]
    answer = await client.post(PATH, json={"items": items}, headers=headers)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["created"], body["failed"]) == (len(BAD), len(BAD))
    assert [result["index"] for result in body["results"]] == list(range(len(items)))
    for result, item in zip(body["results"], items, strict=True):
        if item is LUNCH:
            assert (result["status"], result["transaction"]["amount"], result["error"]) == (201, "12.50", None)
        else:
            assert (result["status"], result["transaction"]) == (422, None), (item, result)
            assert result["error"]["code"] == "VALIDATION_2002"
    assert await count(client, headers) == len(BAD)


async def test_each_is_stored_as_it_would_be_alone(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    item = {**LUNCH, "amount": "100", "currency": "EUR", "description": "lunch", "occurred_on": "2026-01-31"}
    together = (await client.post(PATH, json={"items": [item]}, headers=headers)).json()["results"][0]["transaction"]
    alone = (await client.post("/api/transactions", json=item, headers=headers)).json()
    assert {**together, "id": ""} == {**alone, "id": ""}


@pytest.mark.parametrize("items", [[], [LUNCH] * 101, None, {}, "x"])
async def test_no_item_and_more_than_a_hundred_are_refused_as_a_whole(client: httpx.AsyncClient, items: object) -> None:
    headers = await sign_up(client)
    assert (await client.post(PATH, json={"items": items}, headers=headers)).status_code == 422
    assert await count(client, headers) == 0


async def test_a_hundred_are_stored_with_one_job_for_the_background(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await sign_up(client)
    monkeypatch.setattr(held(client).bells.spending, "ring", lambda: None)
    answer = await client.post(PATH, json={"items": [LUNCH] * 100}, headers=headers)
    assert answer.json()["created"] == 100
    async with held(client).database.session() as session:
        assert (await session.scalar(select(func.count()).select_from(Job)) or 0) <= 1


async def test_when_rates_are_not_to_be_had_the_rest_is_stored_and_the_api_asked_once(
    client: httpx.AsyncClient, behave: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    headers = await sign_up(client)
    await behave(error_rate=1)
    foreign = [{**LUNCH, "currency": currency} for currency in ("EUR", "GBP", "THB")]
    body = (await client.post(PATH, json={"items": [LUNCH, *foreign, LUNCH]}, headers=headers)).json()
    assert [result["status"] for result in body["results"]] == [201, 503, 503, 503, 201]
    assert body["results"][1]["error"]["code"] == "RATES_UNAVAILABLE"
    assert sum(record.message == "the rates API failed" for record in caplog.records) == 1


async def test_a_body_of_more_than_a_mebibyte_is_not_read(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, content=b" " * (1024 * 1024 + 1), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")
