"""What MITA Finance keeps in its audit log: who changed what from what to what, who tried to get in, and where from."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from mita_otel.logs.audit import writer
from mita_otel.logs.audit.database import read_url
from mita_otel.logs.audit.keys import KeyRing
from mita_otel.logs.audit.reading import Asked, verify_database
from tests.fixtures.polling import eventually_async
from tests.integration.app.conftest import held, sign_up


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded is looked for at once, not after the second in which others would join it."""
    monkeypatch.setattr(writer, "INTERVAL", 0.05)


async def recorded(client: httpx.AsyncClient, action: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait for the records of an action, in their order."""

    async def look() -> list[dict[str, Any]]:
        async with held(client).database.session() as session:
            rows = await session.scalars(text("SELECT body FROM audit_logs ORDER BY created_at, seq"))
            found = [body for body in map(json.loads, rows) if body["action"] == action]
        return found if len(found) >= count else []

    return await eventually_async(look)


async def test_a_login_is_recorded_whether_it_succeeds_or_not(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    for password in ("wrong", "correct horse"):
        await client.post("/api/auth/login", json={"email": "jane@example.com", "password": password})
    failed, succeeded = await recorded(client, "login", 2)
    assert (failed["outcome"], failed["details"]) == ("failure", {"by": "password", "reason": "credentials"})
    assert (succeeded["outcome"], succeeded["user"]) == ("success", failed["user"])
    assert {record["place"] for record in (failed, succeeded)} == {"POST /api/auth/login"}
    assert {record["sensitivity"] for record in (failed, succeeded)} == {"confidential"}
    refused, _ = [r for r in await recorded(client, "request.authentication", 3) if "login" in r["place"]]
    assert (refused["outcome"], refused["details"]["status"]) == ("failure", 401)


async def test_a_change_is_recorded_with_what_was_before_and_after(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    for limit in ("100", "120"):
        budget = {"month": "2026-11", "category": "food", "limit": limit}
        assert (await client.put("/api/budgets", json=budget, headers=headers)).status_code == 204
    more = {"month": "2026-11", "category": "food", "by": "5.50"}
    await client.post("/api/budgets/changes", json=more, headers=headers)
    changes = [record["changes"]["limit"] for record in await recorded(client, "budget.changed", 3)]
    amounts = [tuple(None if side is None else float(side) for side in (c["before"], c["after"])) for c in changes]
    assert amounts == [(None, 100), (100, 120), (120, 125.5)]


async def test_a_transaction_is_followed_from_its_making_to_its_end(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    new = {
        "amount": "12.50",
        "category": "food",
        "description": "card 4111 1111 1111 1111",
        "occurred_on": "2026-11-24",
    }
    made = (await client.post("/api/transactions", json=new, headers=headers)).json()
    at = f"/api/transactions/{made['id']}"
    await client.patch(at, json={"category": "health"}, headers=headers)
    await client.delete(at, headers=headers)
    (created,) = await recorded(client, "transaction.created")
    (changed,) = await recorded(client, "transaction.changed")
    (deleted,) = await recorded(client, "transaction.deleted")
    assert {record["resource_id"] for record in (created, changed, deleted)} == {made["id"]}
    assert changed["changes"] == {"category": {"before": "food", "after": "health"}}
    assert (created["changes"]["category"], deleted["changes"]["category"]) == (
        {"before": None, "after": "food"}, {"before": "health", "after": None},
    )  # fmt: skip
    assert changed["place"] == "PATCH /api/transactions/{transaction_id}"
    assert "1111 1111" not in json.dumps([created, changed, deleted])


async def test_the_end_of_a_user_is_recorded_with_it_or_not_at_all(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    assert (await client.delete("/api/users/me", headers=headers)).status_code == 204
    assert (await client.delete("/api/users/me", headers=headers)).status_code == 404
    (deleted,) = await recorded(client, "user.deleted")
    assert (deleted["sensitivity"], deleted["user"]) == ("restricted", deleted["resource_id"])


async def test_a_profile_shows_what_was_changed(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    await client.patch("/api/users/me", json={"name": "Jane"}, headers=headers)
    (changed,) = await recorded(client, "profile.changed")
    assert changed["changes"] == {"name": {"before": "", "after": "Jane"}}


async def test_a_stolen_token_is_a_violation(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    login = {"email": "jane@example.com", "password": "correct horse"}
    token = (await client.post("/api/auth/login", json=login)).json()["refresh_token"]
    for _ in range(2):
        await client.post("/api/auth/refresh", json={"refresh_token": token})
    refreshed, reused = await recorded(client, "session.refreshed", 2)
    assert (refreshed["event_type"], reused["event_type"]) == ("authentication", "security_violation")
    assert token not in json.dumps([refreshed, reused])


async def test_no_address_and_no_password_is_stored(client: httpx.AsyncClient) -> None:
    await sign_up(client)
    await recorded(client, "user.registered")
    async with held(client).database.session() as session:
        rows = (await session.execute(text("SELECT * FROM audit_logs"))).all()
    assert [word for word in ("jane@example.com", "correct horse") if word in str(rows)] == []


@pytest.mark.parametrize("backend", ["sqlite and memory"], indirect=True)
async def test_what_the_service_did_can_be_verified(client: httpx.AsyncClient, tmp_path: Path) -> None:

    await sign_up(client)
    await recorded(client, "user.registered")
    url = read_url(f"sqlite:///{tmp_path / 'app.db'}")
    verified = await verify_database(url, KeyRing(), Asked(), lambda _: None)
    assert verified.is_sound
    assert verified.verdicts[0].records >= 3
