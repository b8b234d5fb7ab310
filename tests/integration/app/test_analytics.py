"""Months are added up in the background, and say how old they are."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from app.domain.months import added, month_of
from app.security import Caller, Tokens
from app.storage import Analytics, Job
from app.storage.analytics import changes_waiting, refresh
from app.work import spending
from tests.fixtures.polling import eventually_async
from tests.integration.app.conftest import Open, SteppingClock, external, held, sign_up

PATH = "/api/analytics/summary"
TODAY = datetime.now(UTC).date()
SUM = "12.50"


@pytest.fixture
async def client(backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(clock, **backend, **external(standin))
    return made


@pytest.fixture
async def resting(backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open) -> httpx.AsyncClient:
    """A service that leaves its background work undone."""
    made: httpx.AsyncClient = await serve(clock, **backend, **external(standin), background_work=False)
    return made


async def spend(
    client: httpx.AsyncClient, headers: dict[str, str], amount: str, day: date = TODAY, category: str = "food"
) -> str:
    body = {"amount": amount, "category": category, "occurred_on": str(day)}
    answer = await client.post("/api/transactions", json=body, headers=headers)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def summary(client: httpx.AsyncClient, headers: dict[str, str], months: int = 6) -> dict[str, Any]:
    answer = await client.get(PATH, params={"months": months}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def fresh(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    """Wait for totals that lack nothing."""

    async def read() -> dict[str, Any] | None:
        found = await summary(client, headers)
        return None if found["stale"] else found

    found = await eventually_async(read)
    assert found is not None
    return found


async def test_months_are_added_up_by_category_newest_first(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    before = added(month_of(TODAY), -1)
    await spend(client, headers, "30")
    await spend(client, headers, "10", category="health")
    await spend(client, headers, "7", before)
    await spend(client, headers, "7", added(month_of(TODAY), -6))
    found = await fresh(client, headers)
    assert [(month["month"], month["total"]) for month in found["months"]] == [
        (f"{TODAY:%Y-%m}", "40.00"),
        (f"{before:%Y-%m}", "7.00"),
    ]
    assert found["months"][0]["categories"] == [
        {"category": "food", "total": "30.00", "transactions": 1, "share_percent": "75.0"},
        {"category": "health", "total": "10.00", "transactions": 1, "share_percent": "25.0"},
    ]


async def test_a_change_and_a_deletion_are_caught_up_with(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    kept, dropped = await spend(client, headers, "30"), await spend(client, headers, "5")
    before = added(month_of(TODAY), -2)
    change = {"amount": "12.50", "occurred_on": str(before)}
    assert (await client.patch(f"/api/transactions/{kept}", json=change, headers=headers)).status_code == 200
    assert (await client.delete(f"/api/transactions/{dropped}", headers=headers)).status_code == 204
    found = await fresh(client, headers)
    assert [(month["month"], month["total"]) for month in found["months"]] == [(f"{before:%Y-%m}", SUM)]


async def test_who_asks_for_the_first_time_waits_for_the_sums(resting: httpx.AsyncClient) -> None:
    headers = await sign_up(resting)
    await spend(resting, headers, SUM)
    found = await summary(resting, headers)
    assert [month["total"] for month in found["months"]] == [SUM]
    assert found["age_seconds"] < 60


async def test_sums_that_lack_a_change_are_answered_and_say_so(resting: httpx.AsyncClient) -> None:
    headers = await sign_up(resting)
    first = await summary(resting, headers)
    assert (first["months"], first["stale"]) == ([], False)
    await spend(resting, headers, SUM)
    second = await summary(resting, headers)
    assert (second["months"], second["stale"], second["as_of"]) == ([], True, first["as_of"])


async def test_sums_of_more_than_five_minutes_ago_are_stale_and_asking_has_them_refreshed_once(
    resting: httpx.AsyncClient, clock: SteppingClock
) -> None:
    headers = await sign_up(resting)
    await summary(resting, headers)
    clock.step = timedelta(minutes=4, seconds=50)
    assert not (await summary(resting, headers))["stale"]
    clock.step = timedelta(minutes=6)
    for _ in range(3):
        found = await summary(resting, headers)
        assert found["stale"]
        assert found["age_seconds"] >= 360
    async with held(resting).database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Job)) == 1


async def test_stale_sums_become_fresh_for_the_next_reader(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    headers = await sign_up(client)
    await summary(client, headers)
    clock.step = timedelta(minutes=50)
    assert (await fresh(client, headers))["age_seconds"] < 60


async def test_after_a_clock_that_is_set_back_nobody_believes_the_sums_until_they_are_new(
    client: httpx.AsyncClient, clock: SteppingClock
) -> None:
    headers = await sign_up(client)
    await summary(client, headers)
    clock.step = timedelta(hours=-3)
    first = await summary(client, headers)
    assert (first["stale"], first["age_seconds"]) == (True, 0)
    again = await fresh(client, headers)
    assert datetime.fromisoformat(again["as_of"]) < datetime.fromisoformat(first["as_of"])


async def test_sums_in_use_are_refreshed_by_the_clock_and_others_left_alone(
    client: httpx.AsyncClient, clock: SteppingClock
) -> None:
    used, unused = await sign_up(client), await sign_up(client, "joe@example.com")
    first = (await summary(client, used))["as_of"]
    await summary(client, unused)
    idle = Tokens("s" * 40, 60).read(unused["authorization"].removeprefix("Bearer ")).user_id
    async with held(client).database.session() as session:
        long_ago = clock() - timedelta(days=2)
        await session.execute(update(Analytics).where(Analytics.user_id == idle).values(used_at=long_ago))
        await session.commit()
    clock.step = timedelta(minutes=4, seconds=30)
    held(client).bells.analytics.ring()

    async def dormant() -> bool:
        async with held(client).database.session() as session:
            due = await session.scalar(select(Analytics.due_at).where(Analytics.user_id == idle))
        return due is None

    await eventually_async(dormant)
    found = await summary(client, used)
    assert not found["stale"]
    assert found["as_of"] > first


async def test_changes_of_many_users_at_once_are_all_caught_up_with(client: httpx.AsyncClient) -> None:
    users = [await sign_up(client, f"user{number}@example.com") for number in range(4)]
    for _ in range(5):
        for headers in users:
            await spend(client, headers, "1.10")
    for headers in users:
        assert (await fresh(client, headers))["months"][0]["total"] == "5.50"


async def test_what_fails_for_one_user_keeps_no_other_waiting_and_comes_due_again(
    client: httpx.AsyncClient, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlucky, lucky = await sign_up(client), await sign_up(client, "joe@example.com")
    whole = refresh
    broken = {Tokens("s" * 40, 60).read(unlucky["authorization"].removeprefix("Bearer ")).user_id}

    async def refresh_most(session: Any, user_id: Any, *rest: Any) -> None:
        if user_id in broken:
            raise RuntimeError("as told")
        await whole(session, user_id, *rest)

    monkeypatch.setattr(spending, "refresh", refresh_most)
    for headers in (unlucky, lucky):
        await summary(client, headers)
        await spend(client, headers, SUM)
    assert (await fresh(client, lucky))["months"][0]["total"] == SUM
    assert (await summary(client, unlucky))["stale"]
    broken.clear()
    clock.step = timedelta(minutes=1)  # past the claim
    held(client).bells.spending.ring()
    assert (await fresh(client, unlucky))["months"][0]["total"] == SUM


async def test_a_job_that_always_fails_is_given_up_and_kept(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refresh_nothing(*_: Any) -> None:
        raise RuntimeError("as told")

    monkeypatch.setattr(spending, "refresh", refresh_nothing)
    monkeypatch.setattr(spending, "MOST_ATTEMPTS", 1)
    await spend(client, await sign_up(client), SUM)

    async def given_up() -> bool:
        async with held(client).database.session() as session:
            return bool(await session.scalar(select(func.count()).where(Job.due_at.is_(None))))

    await eventually_async(given_up)


async def test_a_user_who_is_deleted_meanwhile_leaves_no_work(
    resting: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = await sign_up(resting)
    await spend(resting, headers, SUM)
    user_id = held(resting).tokens.read(headers["authorization"].removeprefix("Bearer ")).user_id
    assert (await client_delete(resting, headers)).status_code == 204
    await spending.work(held(resting))
    async with held(resting).database.session() as session:
        assert not await changes_waiting(session, user_id)
    assert "ERROR" not in {record.levelname for record in caplog.records}


async def client_delete(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await client.delete("/api/users/me", headers=headers)


async def test_coins_too_small_to_convert_are_no_fault(client: httpx.AsyncClient, behave: Callable[..., Any]) -> None:
    headers = await sign_up(client)
    await behave(garbage='{"rates": {"USD": "0.000001"}}', path="/rates")
    body = {"amount": "1", "currency": "VND", "category": "food"}
    made = await client.post("/api/transactions", json=body, headers=headers)
    assert made.json()["home_amount"] == "0.00"
    (month,) = (await fresh(client, headers))["months"]
    assert (month["total"], month["categories"][0]["share_percent"]) == ("0.00", "0.0")


async def test_sums_of_the_largest_amounts_are_exact(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    items = [{"amount": "999999999999.99", "category": "food"}] * 100
    assert (await client.post("/api/transactions/bulk", json={"items": items}, headers=headers)).json()["failed"] == 0
    (month,) = (await fresh(client, headers))["months"]
    assert month["total"] == "99999999999999.00"


@pytest.mark.parametrize("months", ["0", "25", "-1", "x", "1.5"])
async def test_a_span_that_is_none_is_refused(client: httpx.AsyncClient, months: str) -> None:
    headers = await sign_up(client)
    assert (await client.get(PATH, params={"months": months}, headers=headers)).status_code == 422


async def test_users_do_not_see_one_anothers_sums(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    await spend(client, jane, SUM)
    await fresh(client, jane)
    assert (await fresh(client, joe))["months"] == []
    stranger = {"authorization": f"Bearer {Tokens('s' * 40, 60).issue(Caller(uuid4(), 'USD'))}"}
    assert (await client.get(PATH, headers=stranger)).status_code == 401
