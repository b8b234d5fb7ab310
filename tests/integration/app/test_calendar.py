"""A month day by day, as the routes show it."""

import httpx
import pytest

from tests.integration.app.conftest import sign_up


async def test_a_month_shows_every_day_with_what_was_spent_and_which_goals_are_due(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    for day, amount, currency in (
        ("2026-02-01", "10", "USD"),
        ("2026-02-01", "100", "EUR"),
        ("2026-02-28", "0.01", "USD"),
        ("2026-03-01", "7", "USD"),
    ):
        spent = {"amount": amount, "currency": currency, "category": "food", "occurred_on": day}
        assert (await client.post("/api/transactions", json=spent, headers=headers)).status_code == 201
    for name, due in (("bicycle", "2026-02-28"), ("car", "2026-03-01"), ("someday", None)):
        goal = {"name": name, "target": "100", "due_on": due}
        assert (await client.post("/api/goals", json=goal, headers=headers)).status_code == 201
    shown = (await client.get("/api/calendar", params={"month": "2026-02"}, headers=headers)).json()
    assert (shown["month"], shown["currency"], shown["spent"]) == ("2026-02", "USD", "118.01")
    assert [day["day"] for day in shown["days"]] == [f"2026-02-{number:02}" for number in range(1, 29)]
    first, *between, last = shown["days"]
    assert (first["spent"], first["transactions"], first["goals_due"]) == ("118.00", 2, [])
    assert (last["spent"], last["transactions"]) == ("0.01", 1)
    assert [goal["name"] for goal in last["goals_due"]] == ["bicycle"]
    assert {day["spent"] for day in between} == {"0.00"}


async def test_the_month_is_this_one_by_default_and_others_are_not_shown(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com", "JPY")
    await client.post("/api/transactions", json={"amount": "5", "category": "food"}, headers=jane)
    assert (await client.get("/api/calendar", headers=jane)).json()["spent"] == "5.00"
    assert (await client.get("/api/calendar", headers=joe)).json()["spent"] == "0"


@pytest.mark.parametrize("month", ["2026-13", "2026", "x", "2026-1", "1969-12"])
async def test_what_is_no_month_is_refused(client: httpx.AsyncClient, month: str) -> None:
    headers = await sign_up(client)
    assert (await client.get("/api/calendar", params={"month": month}, headers=headers)).status_code == 422
