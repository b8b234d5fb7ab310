"""What users say about themselves, and how they go."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.storage import Base
from tests.integration.app.conftest import held, sign_up
from tests.unit.app.receipts import png

LUNCH = {"amount": "12.50", "category": "food"}


async def test_what_is_left_out_of_a_change_stays(client: httpx.AsyncClient) -> None:
    headers = await sign_up(client)
    before = (await client.get("/api/users/me", headers=headers)).json()
    assert before["notify_by"] == "push"
    await client.patch("/api/users/me", json={"name": "Jane"}, headers=headers)
    after = (await client.patch("/api/users/me", json={"notify_by": "email"}, headers=headers)).json()
    assert after == {**before, "name": "Jane", "notify_by": "email"}


@pytest.mark.parametrize("change", [{"notify_by": "pigeon"}, {"name": 5}, {"notify_by": ["push"]}])
async def test_a_change_that_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    headers = await sign_up(client)
    assert (await client.patch("/api/users/me", json=change, headers=headers)).status_code == 422


async def test_a_user_who_goes_leaves_nothing_behind_but_others(client: httpx.AsyncClient) -> None:
    jane, joe = await sign_up(client), await sign_up(client, "joe@example.com")
    for headers in (jane, joe):
        await client.post("/api/transactions", json=LUNCH, headers=headers)
        await client.post("/api/goals", json={"name": "x", "target": "5"}, headers=headers)
        await client.put("/api/budgets", json={"month": "2026-11", "category": "food", "limit": "1"}, headers=headers)
        await client.post("/api/receipts", files={"file": ("a", png())}, headers=headers)
        await client.get("/api/analytics/summary", headers=headers)
    assert (await client.delete("/api/users/me", headers=jane)).status_code == 204
    user_id = held(client).tokens.read(jane["authorization"].removeprefix("Bearer ")).user_id
    async with held(client).database.session() as session:
        for table in Base.metadata.sorted_tables:
            if "user_id" in table.c:
                left = select(func.count()).select_from(table).where(table.c.user_id == user_id)
                assert await session.scalar(left) == 0, table.name
    assert len((await client.get("/api/transactions", headers=joe)).json()["items"]) == 1
    assert (await client.delete("/api/users/me", headers=jane)).status_code == 404
    again = {"email": "jane@example.com", "password": "correct horse"}
    assert (await client.post("/api/auth/register", json=again)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/transactions", LUNCH),
        ("POST", "/api/transactions/bulk", {"items": [LUNCH]}),
        ("PUT", "/api/budgets", {"month": "2026-11", "category": "food", "limit": "1"}),
        ("POST", "/api/goals", {"name": "x", "target": "5"}),
        ("GET", "/api/analytics/summary", None),
    ],
)
async def test_a_token_that_outlives_its_user_writes_nothing(
    client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    headers = await sign_up(client)
    await client.delete("/api/users/me", headers=headers)
    answer = await client.request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTHENTICATION_REQUIRED")
