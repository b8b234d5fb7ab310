"""How often clients of MITA Finance may ask."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from tests.integration.app.conftest import Open, sign_up

JANE = {"email": "jane@example.com", "password": "correct horse"}
WRONG = {**JANE, "password": "not the one"}


@pytest.fixture(autouse=True)
def _limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MITA_RATE_LIMITING", "true")
    monkeypatch.setenv("MITA_TRUSTED_PROXIES", "127.0.0.1")
    # A busy machine must not make the service give up on Redis.
    monkeypatch.setenv("MITA_RATE_LIMIT_TIMEOUT", "0.25")


@pytest.fixture
async def client(backend: dict[str, Any], serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(**backend)
    return made


Send = Callable[..., Any]


@pytest.fixture
def send(client: httpx.AsyncClient) -> Send:
    """Send a request from some address."""

    async def sent(method: str, path: str, address: str = "203.0.113.9", **options: Any) -> httpx.Response:
        headers = {"x-forwarded-for": address, **options.pop("headers", {})}
        return await client.request(method, path, headers=headers, **options)

    return sent


async def test_an_address_may_try_ten_logins_whichever_accounts_they_are_for(send: Send) -> None:
    answers = [
        await send("POST", "/api/auth/login", json={**WRONG, "email": f"u{number}@example.com"}) for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    refused = answers[10]
    assert refused.json()["error"]["code"] == "RATE_LIMIT_6001"
    assert refused.json()["error"]["details"]["policies"] == ["login"]
    assert 890 <= int(refused.headers["retry-after"]) <= 901
    assert refused.headers["ratelimit-policy"] == '"login";q=10;w=900, "api";q=1000;w=3600'
    assert refused.headers["ratelimit"].startswith('"login";r=0;t=')
    assert (await send("POST", "/api/auth/login", "203.0.113.10", json=WRONG)).status_code == 401


async def test_an_account_may_be_tried_ten_times_from_whichever_addresses(send: Send) -> None:
    answers = [await send("POST", "/api/auth/login", f"198.51.100.{number}", json=WRONG) for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[10].json()["error"]["details"]["policies"] == ["login_account"]
    assert answers[9].headers["ratelimit-policy"].endswith('"login_account";q=10;w=900')
    again = await send("POST", "/api/auth/login", "192.0.2.1", json={**WRONG, "email": " JANE@Example.com "})
    assert again.status_code == 429, "another way to write the same account"


async def test_a_mail_for_a_new_password_is_sent_three_times_to_an_account(send: Send) -> None:
    answers = [
        await send("POST", "/api/auth/password-reset/request", f"198.51.100.{number}", json={"email": JANE["email"]})
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [202] * 3 + [429]


async def test_users_behind_one_address_have_quotas_of_their_own(client: httpx.AsyncClient, send: Send) -> None:
    users = [await sign_up(client, f"u{number}@example.com") for number in range(2)]
    answers = [await send("GET", "/api/analytics/summary", headers=users[0]) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"api";q=1000;w=3600, "analytics";q=20;w=60'
    assert (await send("GET", "/api/analytics/summary", headers=users[1])).status_code == 200


async def test_a_token_that_is_not_valid_is_nobodys_quota(send: Send) -> None:
    answers = [
        await send("GET", "/api/analytics/summary", headers={"authorization": f"Bearer forged{number}"})
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


async def test_health_is_asked_as_often_as_somebody_likes(send: Send) -> None:
    answers = [await send("GET", "/health") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_quotas_are_those_of_all_replicas_by_redis(
    postgres_backend: dict[str, Any], redis_url: str, serve: Open
) -> None:
    client = await serve(**postgres_backend)
    assert (await client.post("/api/auth/login", json=WRONG)).status_code == 401
    async with Redis.from_url(redis_url) as redis:
        keys: Any = await redis.keys("{mita-ratelimit}:*")
    assert sorted(key.decode().split(":")[1] for key in keys) == ["api", "login", "login_account", "replicas"]
