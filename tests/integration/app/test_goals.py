"""Goals are saved for, reached once, and no contribution is lost."""

import asyncio
from typing import Any

import httpx
import pytest

from app.api import goals
from app.domain.money import MAXIMUM
from tests.fixtures.polling import eventually_async
from tests.integration.app.conftest import an_email, inbox, sign_up

PATH = "/api/goals"
BICYCLE = {"name": "bicycle", "target": "100", "due_on": "2099-12-31"}


async def make(client: httpx.AsyncClient, headers: dict[str, str], **change: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={**BICYCLE, **change}, headers=headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def contribute(client: httpx.AsyncClient, headers: dict[str, str], goal: str, amount: str) -> httpx.Response:
    return await client.post(f"{PATH}/{goal}/contributions", json={"amount": amount}, headers=headers)


async def test_a_goal_is_made_read_changed_and_given_up(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    made = await make(client, headers)
    assert (made["target"], made["saved"], made["percent"], made["reached_at"]) == ("100.00", "0.00", "0.0", None)
    path = f"{PATH}/{made['id']}"
    assert (await client.get(path, headers=headers)).json() == made
    assert (await client.get(PATH, headers=headers)).json() == {"items": [made], "next_cursor": None}
    changed = (await client.patch(path, json={"name": "car", "target": "5000"}, headers=headers)).json()
    assert (changed["name"], changed["target"], changed["due_on"]) == ("car", "5000.00", "2099-12-31")
    assert (await client.patch(path, json={}, headers=headers)).json() == changed
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.get(path, headers=headers)).status_code == 404


async def test_contributions_show_how_far_it_is(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    goal = await make(client, headers, due_on=None)
    shown = (await contribute(client, headers, goal["id"], "99.99")).json()
    assert (shown["saved"], shown["remaining"], shown["percent"]) == ("99.99", "0.01", "99.9")
    assert (shown["monthly"], shown["reached_at"]) == (None, None)


async def test_of_contributions_at_once_none_is_lost(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    goal = await make(client, headers, target="1000")
    answers = await asyncio.gather(*(contribute(client, headers, goal["id"], "0.37") for _ in range(25)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get(f"{PATH}/{goal['id']}", headers=headers)).json()["saved"] == "9.25"


async def test_a_goal_is_told_of_once_when_it_is_reached(client: httpx.AsyncClient, standin: str) -> None:
    email = an_email()
    headers = await sign_up(client, email)
    await client.patch("/api/users/me", json={"notify_by": "email"}, headers=headers)
    goal = await make(client, headers)
    await asyncio.gather(*(contribute(client, headers, goal["id"], "60") for _ in range(4)))
    shown = (await client.get(f"{PATH}/{goal['id']}", headers=headers)).json()
    assert (shown["percent"], shown["remaining"]) == ("240.0", "0.00")
    assert shown["reached_at"] is not None
    mails = await eventually_async(lambda: inbox(standin, email))
    assert [mail["title"] for mail in mails] == ["You have reached your goal: bicycle"]
    listed = (await client.get("/api/notifications", headers=headers)).json()["items"]
    assert [each["kind"] for each in listed] == ["goal_reached"]


async def test_a_raised_target_is_to_be_reached_again(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    path = f"{PATH}/{(goal := await make(client, headers))['id']}"
    await contribute(client, headers, goal["id"], "100")
    assert (await client.patch(path, json={"target": "200"}, headers=headers)).json()["reached_at"] is None
    assert (await client.patch(path, json={"target": "50"}, headers=headers)).json()["reached_at"] is not None
    kinds = (await client.get("/api/notifications", headers=headers)).json()["items"]
    assert [each["kind"] for each in kinds] == ["goal_reached", "goal_reached"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"name": "a\u0000"},
        {"target": "0"},
        {"target": "-1"},
        {"target": "NaN"},
        {"target": 1.5},
        {"target": "0.001"},
        {"target": "1000000000001"},
        {"due_on": "2100-01-01"},
        {"due_on": "1969-12-31"},
        {"due_on": "soon"},
    ],
)
async def test_a_goal_that_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, object]) -> None:
    headers = await sign_up(client)
    assert (await client.post(PATH, json={**BICYCLE, **change}, headers=headers)).status_code == 422
    goal = await make(client, headers)
    assert (await client.patch(f"{PATH}/{goal['id']}", json=change, headers=headers)).status_code == 422


@pytest.mark.parametrize("amount", ["0", "-5", "NaN", "Infinity", "0.001", "1e13", 1.5, None])
async def test_a_contribution_that_makes_no_sense_is_refused(client: httpx.AsyncClient, amount: Any) -> None:
    headers = await sign_up(client)
    goal = await make(client, headers)
    assert (await contribute(client, headers, goal["id"], amount)).status_code == 422


async def test_savings_do_not_overflow(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    goal = await make(client, headers, target=str(MAXIMUM))
    assert (await contribute(client, headers, goal["id"], str(MAXIMUM))).status_code == 200
    answer = await contribute(client, headers, goal["id"], "0.01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "GOAL_OUT_OF_BOUNDS")
    assert (await client.get(f"{PATH}/{goal['id']}", headers=headers)).json()["saved"] == "1000000000000.00"


async def test_a_user_has_no_end_of_goals(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goals, "MOST_GOALS", 2)
    headers = await sign_up(client)
    for _ in range(2):
        await make(client, headers)
    assert (await client.post(PATH, json=BICYCLE, headers=headers)).status_code == 409


async def test_users_do_not_see_one_anothers_goals(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    goal = await make(client, jane)
    path = f"{PATH}/{goal['id']}"
    assert (await client.get(path, headers=joe)).status_code == 404
    assert (await client.patch(path, json={"name": "x"}, headers=joe)).status_code == 404
    assert (await client.delete(path, headers=joe)).status_code == 404
    assert (await contribute(client, joe, goal["id"], "1")).status_code == 404
    assert (await client.get(PATH, headers=joe)).json()["items"] == []
