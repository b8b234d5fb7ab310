"""A purchase is verified where it was sold, and counted once."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.storage import Purchase
from tests.fixtures.polling import eventually_async
from tests.integration.app.conftest import held, sign_up

PATH = "/api/purchases"


def bought(number: str = "1", product: str = "premium.month", **change: Any) -> dict[str, Any]:
    receipt = f"valid:{product}:{number}"
    return {"store": "app_store", "transaction_id": number, "product": product, "receipt": receipt, **change}


async def test_what_the_store_confirms_is_recorded_and_told(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, json=bought(), headers=headers)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["product"], answer.json()["amount_usd"]) == ("premium.month", "4.99")
    assert (await client.get(PATH, headers=headers)).json()["items"] == [answer.json()]

    async def told() -> list[str]:
        found = (await client.get("/api/notifications", headers=headers)).json()["items"]
        return [each["kind"] for each in found if each["state"] == "delivered"]

    assert await eventually_async(told) == ["purchase_confirmed"]


async def test_the_same_purchase_is_counted_once_however_often_at_once(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    answers = await asyncio.gather(*(client.post(PATH, json=bought(), headers=headers) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await client.get(PATH, headers=headers)).json()["items"]) == 1


async def test_a_purchase_of_somebody_else_is_not_given_away(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    assert (await client.post(PATH, json=bought(), headers=jane)).status_code == 201
    answer = await client.post(PATH, json=bought(), headers=joe)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "PURCHASE_CLAIMED")
    assert (await client.get(PATH, headers=joe)).json()["items"] == []


async def test_the_numbers_of_two_stores_are_not_confused(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    for store in ("app_store", "google_play"):
        assert (await client.post(PATH, json=bought(store=store), headers=headers)).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"receipt": "forged"},
        {"receipt": "refunded:premium.month:1"},
        {"receipt": "valid:premium.month:2"},
        {"receipt": "valid:unknown:1"},
        {"product": "premium.year"},
    ],
)
async def test_what_the_store_does_not_confirm_is_refused(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    headers = await sign_up(client)
    answer = await client.post(PATH, json=bought() | change, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PURCHASE_INVALID")
    assert (await client.get(PATH, headers=headers)).json()["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"store": "corner_shop"},
        {"transaction_id": ""},
        {"transaction_id": "x" * 101},
        {"transaction_id": "a b"},
        {"receipt": ""},
        {"receipt": "x" * 10_001},
        {"receipt": "\u0000"},
        {"product": "../x"},
    ],
)
async def test_a_purchase_that_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, str]) -> None:
    headers = await sign_up(client)
    assert (await client.post(PATH, json=bought() | change, headers=headers)).status_code == 422


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "[]",
        '{"status": "perhaps"}',
        '{"status": "valid", "product": "premium.month", "amount_usd": "-1"}',
        '{"status": "valid", "product": "premium.month", "amount_usd": "NaN"}',
        '{"status": "valid", "product": "premium.month", "amount_usd": "10000.01"}',
        '{"status": "valid", "product": "premium.month", "amount_usd": "4.999"}',
    ],
)
async def test_a_store_that_talks_nonsense_is_an_outage(
    client: httpx.AsyncClient, behave: Callable[..., Any], garbage: str
) -> None:
    headers = await sign_up(client)
    await behave(garbage=garbage, path="/v1/purchases")
    answer = await client.post(PATH, json=bought(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")


async def test_a_price_with_a_point_is_not_bent_by_a_float(
    client: httpx.AsyncClient, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)
    await behave(garbage='{"status": "valid", "product": "premium.month", "amount_usd": 0.07}', path="/v1/purchases")
    assert (await client.post(PATH, json=bought(), headers=headers)).json()["amount_usd"] == "0.07"


async def test_revenue_outlives_its_user_and_is_claimed_by_nobody_else(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    await client.post(PATH, json=bought(), headers=jane)
    assert (await client.delete("/api/users/me", headers=jane)).status_code == 204
    async with held(client).database.session() as session:
        (kept,) = (await session.scalars(select(Purchase))).all()
    assert (kept.user_id, kept.amount_usd) == (None, Decimal("4.99"))
    assert (await client.post(PATH, json=bought(), headers=joe)).status_code == 409


async def test_no_log_holds_a_receipt(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    headers = await sign_up(client)
    with caplog.at_level("DEBUG"):
        await client.post(PATH, json=bought(), headers=headers)
        await client.post(PATH, json=bought("2", receipt="valid:secret"), headers=headers)
    logged = "\n".join(str(record.__dict__) for record in caplog.records if record.name.startswith("app"))
    assert "purchase recorded" in logged
    assert "valid:" not in logged
