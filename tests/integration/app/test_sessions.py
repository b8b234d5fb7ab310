"""Refresh tokens are exchanged once, in chains that end as a whole."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.storage import RefreshToken
from tests.integration.app.conftest import Open, SteppingClock, external, held

JANE = {"email": "jane@example.com", "password": "correct horse"}


@pytest.fixture
async def client(backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(clock, **backend, **external(standin))
    return made


async def tokens(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/auth/register", json=JANE)
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/auth/refresh", json={"refresh_token": token})


async def test_a_refresh_token_is_exchanged_for_tokens_that_work(client: httpx.AsyncClient) -> None:
    first = await tokens(client)
    assert first["expires_in"] == 3600
    second = (await refresh(client, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    headers = {"authorization": f"Bearer {second['access_token']}"}
    assert (await client.get("/api/users/me", headers=headers)).json()["email"] == JANE["email"]
    assert (await refresh(client, second["refresh_token"])).status_code == 200


async def test_a_refresh_token_that_comes_again_ends_its_chain_and_no_other(client: httpx.AsyncClient) -> None:
    stolen = (await tokens(client))["refresh_token"]
    other = (await client.post("/api/auth/login", json=JANE)).json()["refresh_token"]
    newest = (await refresh(client, stolen)).json()["refresh_token"]
    again = await refresh(client, stolen)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "REFRESH_TOKEN_INVALID")
    assert (await refresh(client, newest)).status_code == 401
    assert (await refresh(client, other)).status_code == 200


async def test_of_many_exchanges_at_once_one_succeeds(client: httpx.AsyncClient) -> None:
    token = (await tokens(client))["refresh_token"]
    answers = await asyncio.gather(*(refresh(client, token) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]


async def test_a_refresh_token_is_over_after_a_month(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    token = (await tokens(client))["refresh_token"]
    clock.step = timedelta(days=31)
    assert (await refresh(client, token)).status_code == 401


async def test_a_clock_that_is_set_back_ends_no_session(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    made = await tokens(client)
    clock.step = timedelta(hours=-2)
    headers = {"authorization": f"Bearer {made['access_token']}"}
    assert (await client.get("/api/users/me", headers=headers)).status_code == 200
    assert (await refresh(client, made["refresh_token"])).status_code == 200


async def test_who_logs_out_is_out(client: httpx.AsyncClient) -> None:
    token = (await tokens(client))["refresh_token"]
    for _ in range(2):
        assert (await client.post("/api/auth/logout", json={"refresh_token": token})).status_code == 204
    assert (await refresh(client, token)).status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "", "x" * 129, "\u0000", None])
async def test_a_token_that_nobody_gave_is_refused(client: httpx.AsyncClient, token: str | None) -> None:
    answer = await client.post("/api/auth/refresh", json={"refresh_token": token})
    assert answer.status_code in {401, 422}


async def test_a_refresh_token_is_stored_as_nothing_that_could_be_sent(client: httpx.AsyncClient) -> None:
    token = (await tokens(client))["refresh_token"]
    async with held(client).database.session() as session:
        stored = (await session.scalars(select(RefreshToken))).one()
    assert token not in {str(value) for value in vars(stored).values()}
    assert (await refresh(client, stored.digest)).status_code == 401


async def test_the_session_of_a_deleted_user_is_over(client: httpx.AsyncClient) -> None:
    made = await tokens(client)
    headers = {"authorization": f"Bearer {made['access_token']}"}
    assert (await client.delete("/api/users/me", headers=headers)).status_code == 204
    assert (await refresh(client, made["refresh_token"])).status_code == 401
    assert (await client.get("/api/users/me", headers=headers)).status_code == 404
    assert (await client.get("/api/analytics/summary", headers=headers)).status_code == 401
