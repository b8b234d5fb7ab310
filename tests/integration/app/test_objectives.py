"""The reference service tells of what no status tells: correctness, accuracy, freshness, delivery."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mita_otel import slo
from tests.fixtures.polling import eventually_async
from tests.fixtures.service import ROOT
from tests.integration.app.conftest import Open, SteppingClock, external, sign_up
from tests.unit.app.receipts import png

Totals = Callable[[str], tuple[float, float]]

MONTH = f"{datetime.now(UTC):%Y-%m}"
FOOD = {"amount": "60", "category": "food"}


@pytest.fixture
def totals() -> Iterator[Totals]:
    objectives = slo.Objectives(slo.load(ROOT / "collector" / "slo" / "mita.yaml"))
    slo.use(objectives)
    yield lambda name: objectives.totals()[name]
    slo.use(None)


@pytest.fixture
async def client(
    totals: Totals, sqlite_backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open
) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(clock, **sqlite_backend, **external(standin))
    return made


async def test_a_transaction_is_correct_unless_we_fail_it(client: httpx.AsyncClient, totals: Totals) -> None:
    headers = await sign_up(client)
    assert (await client.post("/api/transactions", json=FOOD, headers=headers)).status_code == 201
    refused = await client.patch("/api/transactions/00000000-0000-0000-0000-000000000000", json=FOOD, headers=headers)
    assert refused.status_code == 404
    assert totals("transactions-correctness") == (1, 0)
    assert totals("service-correctness") == (1, 0)


async def test_a_budget_that_is_calculated_is_correct(client: httpx.AsyncClient, totals: Totals) -> None:
    headers = await sign_up(client)
    assert (await client.get("/api/budgets/dashboard", headers=headers)).status_code == 200
    assert totals("budgets-correctness") == (1, 0)


async def test_totals_that_are_read_are_fresh_for_five_minutes(
    client: httpx.AsyncClient, totals: Totals, clock: SteppingClock
) -> None:
    headers = await sign_up(client)
    assert (await client.get("/api/analytics/summary", headers=headers)).status_code == 200
    assert totals("analytics-freshness") == (1, 0)
    clock.step = timedelta(minutes=6)
    assert (await client.get("/api/analytics/summary", headers=headers)).status_code == 200
    assert totals("analytics-freshness") == (1, 1)


async def test_a_receipt_is_accurate_if_nobody_corrects_it(client: httpx.AsyncClient, totals: Totals) -> None:
    headers = await sign_up(client)
    picture = {"file": ("receipt.png", png(), "image/png")}
    for correction in ({}, {"amount": "5.40"}):
        receipt = (await client.post("/api/receipts", files=picture, headers=headers)).json()
        made = await client.post(f"/api/receipts/{receipt['id']}/confirm", json=correction, headers=headers)
        assert made.status_code == 201
    assert totals("ocr-accuracy") == (1, 1)


async def test_a_message_is_delivered_within_five_minutes(client: httpx.AsyncClient, totals: Totals) -> None:
    headers = await sign_up(client)
    budget = {"month": MONTH, "category": "food", "limit": "100"}
    assert (await client.put("/api/budgets", json=budget, headers=headers)).status_code == 204
    for _ in range(2):
        assert (await client.post("/api/transactions", json=FOOD, headers=headers)).status_code == 201

    async def delivered() -> bool:
        return totals("notifications-delivery") == (1, 0)

    await eventually_async(delivered)


async def test_the_service_says_how_it_stands(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    assert (await client.post("/api/transactions", json=FOOD, headers=headers)).status_code == 201
    answer = await client.get("/slo/status")
    told = {each["id"]: each for each in answer.json()["slos"]}
    assert answer.status_code == 200
    assert (told["transactions-correctness"]["good"], told["transactions-correctness"]["state"]) == (1, "ok")
    assert told["ocr-accuracy"]["state"] == "no_data"
