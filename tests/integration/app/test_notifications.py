"""Users are told once, within five minutes or not at all, by whichever worker comes first."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.domain.notifications import Attempt, Kind, Message
from app.security import Tokens
from app.storage import Notification, User
from app.storage.notifications import notify
from app.storage.queue import LEASE
from tests.fixtures.polling import eventually_async
from tests.integration.app.conftest import Open, SteppingClock, an_email, external, held, inbox, sign_up

PATH = "/api/notifications"
MONTH = f"{datetime.now(UTC):%Y-%m}"
FOOD = {"amount": "60", "category": "food"}
BUDGET = {"month": MONTH, "category": "food", "limit": "100"}


@pytest.fixture
async def client(backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(clock, **backend, **external(standin))
    return made


async def listed(client: httpx.AsyncClient, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(PATH, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def in_state(client: httpx.AsyncClient, headers: dict[str, str], state: str) -> dict[str, Any]:
    """Wait for the one notification of a user to be in a state."""

    async def read() -> list[dict[str, Any]]:
        found = await listed(client, headers)
        return [each for each in found if each["state"] == state]

    (found,) = await eventually_async(read)
    return found


async def tried(client: httpx.AsyncClient) -> None:
    """Wait until an attempt to deliver has failed."""

    async def once() -> bool:
        async with held(client).database.session() as session:
            row = await session.scalar(select(Notification))
        # A claim puts it off by half a minute, a failed attempt by a few seconds.
        return row is not None and row.attempts > 0 and row.due_at is not None and row.due_at < now() + LEASE / 2

    now = held(client).now
    await eventually_async(once)


async def overspend(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.put("/api/budgets", json=BUDGET, headers=headers)).status_code == 204
    for _ in range(2):
        assert (await client.post("/api/transactions", json=FOOD, headers=headers)).status_code == 201


async def user_of(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/api/users/me", headers=headers)).json()
    return found


async def test_a_budget_that_is_spent_is_told_of_once(client: httpx.AsyncClient, standin: str) -> None:
    headers = await sign_up(client)
    await overspend(client, headers)
    told = await in_state(client, headers, "delivered")
    assert (told["kind"], told["title"]) == ("budget_exceeded", "Your budget for food is spent")
    assert told["text"] == f"You have spent 120.00 USD of 100.00 USD on food in {MONTH}."
    assert told["delivered_at"] <= told["deadline"]
    user = await user_of(client, headers)
    (push,) = await inbox(standin, user["id"])
    assert (push["channel"], push["title"]) == ("push", told["title"])
    await client.post("/api/transactions", json=FOOD, headers=headers)

    async def caught_up() -> bool:
        return not (await client.get("/api/analytics/summary", headers=headers)).json()["stale"]

    await eventually_async(caught_up)
    assert len(await listed(client, headers)) == 1


async def test_a_budget_set_below_what_is_spent_is_told_of_too(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.post("/api/transactions", json=FOOD, headers=headers)
    await client.put("/api/budgets", json={**BUDGET, "limit": "59.99"}, headers=headers)
    assert (await in_state(client, headers, "delivered"))["kind"] == "budget_exceeded"


async def test_spending_in_two_requests_at_once_is_noticed_together(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.put("/api/budgets", json=BUDGET, headers=headers)
    await asyncio.gather(*(client.post("/api/transactions", json=FOOD, headers=headers) for _ in range(2)))
    assert (await in_state(client, headers, "delivered"))["kind"] == "budget_exceeded"


async def test_a_budget_of_months_ago_is_no_news(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.put("/api/budgets", json={**BUDGET, "month": "2026-01"}, headers=headers)
    old = {"amount": "500", "category": "food", "occurred_on": "2026-01-15"}
    await client.post("/api/transactions", json=old, headers=headers)

    async def caught_up() -> bool:
        return not (await client.get("/api/analytics/summary", headers=headers)).json()["stale"]

    await eventually_async(caught_up)
    assert await listed(client, headers) == []


@pytest.mark.parametrize("channel", ["email", "push"])
async def test_a_user_is_told_in_the_way_they_chose(client: httpx.AsyncClient, standin: str, channel: str) -> None:
    email = an_email()
    headers = await sign_up(client, email)
    chosen = await client.patch("/api/users/me", json={"notify_by": channel}, headers=headers)
    assert chosen.json()["notify_by"] == channel
    await overspend(client, headers)
    await in_state(client, headers, "delivered")
    user = await user_of(client, headers)
    (sent,) = await inbox(standin, email if channel == "email" else user["id"])
    assert sent["channel"] == channel


async def test_who_wants_to_hear_nothing_finds_it_in_the_list_alone(client: httpx.AsyncClient, standin: str) -> None:
    email = an_email()
    headers = await sign_up(client, email)
    await client.patch("/api/users/me", json={"notify_by": "none"}, headers=headers)
    await overspend(client, headers)
    await in_state(client, headers, "delivered")
    user = await user_of(client, headers)
    assert await inbox(standin, email) == await inbox(standin, user["id"]) == []


async def test_a_message_that_fails_is_tried_again_and_arrives_once(
    client: httpx.AsyncClient, standin: str, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)
    await behave(error_rate=1, path="/v1/messages")
    await overspend(client, headers)
    await tried(client)
    assert (await in_state(client, headers, "pending"))["delivered_at"] is None
    await behave()
    await in_state(client, headers, "delivered")
    user = await user_of(client, headers)
    assert len(await inbox(standin, user["id"])) == 1


async def test_what_is_not_delivered_within_five_minutes_expires(
    client: httpx.AsyncClient, standin: str, clock: SteppingClock, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)
    await behave(error_rate=1, path="/v1/messages")
    await overspend(client, headers)
    await tried(client)
    pending = await in_state(client, headers, "pending")
    span = datetime.fromisoformat(pending["deadline"]) - datetime.fromisoformat(pending["created_at"])
    assert span == timedelta(minutes=5)
    await behave()
    clock.step = timedelta(minutes=5, seconds=1)
    held(client).bells.notifications.ring()
    await in_state(client, headers, "expired")
    user = await user_of(client, headers)
    assert await inbox(standin, user["id"]) == []


async def test_an_address_that_nobody_reads_is_tried_once_and_failed(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client, f"bounce-{an_email()}")
    await client.patch("/api/users/me", json={"notify_by": "email"}, headers=headers)
    await overspend(client, headers)
    assert (await in_state(client, headers, "failed"))["delivered_at"] is None


async def test_without_a_message_api_notifications_are_kept_and_expire(
    backend: dict[str, Any], clock: SteppingClock, serve: Open
) -> None:
    client = await serve(clock, **backend)
    headers = await sign_up(client)
    await overspend(client, headers)
    await in_state(client, headers, "pending")
    clock.step = timedelta(minutes=6)
    held(client).bells.notifications.ring()
    await in_state(client, headers, "expired")


async def test_a_clock_that_is_set_back_does_not_keep_a_message_back(
    client: httpx.AsyncClient, standin: str, clock: SteppingClock, behave: Callable[..., Any]
) -> None:
    headers = await sign_up(client)
    await behave(error_rate=1, path="/v1/messages")
    await overspend(client, headers)
    await tried(client)
    clock.step = timedelta(hours=-5)
    await behave()
    held(client).bells.notifications.ring()
    await in_state(client, headers, "delivered")


async def test_of_several_processes_each_message_is_delivered_by_one(
    backend: dict[str, Any], standin: str, serve: Open
) -> None:
    """The message API is given no help by its memory of ids: what it was asked is counted."""
    clients = [await serve(**backend, **external(standin)) for _ in range(3)]
    sent: list[str] = []
    for each in clients:
        whole = held(each).messages.send

        async def send(message_id: Any, *rest: Any, whole: Any = whole, **more: Any) -> Any:
            outcome = await whole(message_id, *rest, **more)
            if outcome is Attempt.ACCEPTED:  # on a busy machine one may have to be tried again
                sent.append(str(message_id))
            return outcome

        object.__setattr__(held(each), "messages", type("Counted", (), {"send": staticmethod(send)})())
    headers = await sign_up(clients[0])
    user_id = held(clients[0]).tokens.read(headers["authorization"].removeprefix("Bearer ")).user_id
    async with held(clients[0]).database.session() as session:
        now = held(clients[0]).now()
        for number in range(60):
            message = Message(Kind.GOAL_REACHED, f"test:{number}", "title", "text")
            assert await notify(session, user_id, "push", message, now, traceparent=None)
        await session.commit()
    for each in clients:
        held(each).bells.notifications.ring()

    async def all_delivered() -> bool:
        found = await listed(clients[0], headers, limit=100)
        return len(found) == 60 and {each["state"] for each in found} == {"delivered"}

    await eventually_async(all_delivered, timeout=30)
    assert len(sent) == len(set(sent)) == 60


async def test_what_is_left_behind_by_a_process_is_found_by_the_next(
    backend: dict[str, Any], standin: str, serve: Open
) -> None:
    first = await serve(**backend, **external(standin), background_work=False)
    headers = await sign_up(first)
    await overspend(first, headers)
    second = await serve(**backend, **external(standin))
    await in_state(second, headers, "delivered")


async def test_a_notification_is_read_once(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    headers = await sign_up(client)
    await overspend(client, headers)
    told = await in_state(client, headers, "delivered")
    path = f"{PATH}/{told['id']}/read"
    assert await listed(client, headers, unread=True) == [told]
    read = (await client.post(path, headers=headers)).json()
    assert read["read_at"] is not None
    clock.step = timedelta(minutes=1)
    assert (await client.post(path, headers=headers)).json()["read_at"] == read["read_at"]
    assert await listed(client, headers, unread=True) == []


async def test_users_do_not_see_one_anothers_notifications(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    await overspend(client, jane)
    told = await in_state(client, jane, "delivered")
    assert await listed(client, joe) == []
    assert (await client.post(f"{PATH}/{told['id']}/read", headers=joe)).status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=x", "cursor=1.2", "unread=perhaps"])
async def test_a_list_that_cannot_be_asked_for_is_refused(client: httpx.AsyncClient, query: str) -> None:
    headers = await sign_up(client)
    assert (await client.get(f"{PATH}?{query}", headers=headers)).status_code == 422


async def test_old_notifications_and_secrets_are_swept_away(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    headers = await sign_up(client)
    await overspend(client, headers)
    await in_state(client, headers, "delivered")
    clock.step = timedelta(days=91)
    held(client).bells.housekeeping.ring()
    clock_headers = {"authorization": f"Bearer {held(client).tokens.issue(held_caller(client, headers))}"}

    async def swept() -> bool:
        return await listed(client, clock_headers) == []

    await eventually_async(swept)
    async with held(client).database.session() as session:
        assert await session.get(User, held_caller(client, headers).user_id) is not None


def held_caller(client: httpx.AsyncClient, headers: dict[str, str]) -> Any:
    """Read a token by the real clock, not by the test's."""
    return Tokens("s" * 40, 60).read(headers["authorization"].removeprefix("Bearer "))
