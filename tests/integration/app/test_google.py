"""Login by Google: to the provider and back in one browser, and nowhere else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.integration.app.conftest import Open, SteppingClock, an_email, external, sign_up

START, CALLBACK = "/api/auth/google/start", "/api/auth/google/callback"


@pytest.fixture
async def client(backend: dict[str, Any], standin: str, clock: SteppingClock, serve: Open) -> httpx.AsyncClient:
    made: httpx.AsyncClient = await serve(clock, **backend, **external(standin))
    return made


async def began(client: httpx.AsyncClient) -> str:
    answer = await client.get(START)
    assert answer.status_code == 302
    return answer.headers["location"]


async def agreed(address: str, email: str) -> str:
    """What the provider's page does for somebody who agrees: return where the browser is sent back to."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(f"{address}&login_hint={email}")
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


async def log_in(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.get(await agreed(await began(client), email))


async def profile(client: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    found: dict[str, Any] = (await client.get("/api/users/me", headers=headers)).json()
    return found


async def test_who_comes_back_is_a_new_user_and_the_same_one_the_next_time(client: httpx.AsyncClient) -> None:
    email = an_email()
    first = await log_in(client, email)
    assert first.status_code == 200, first.text
    known = await profile(client, first)
    assert (known["email"], known["currency"]) == (email, "USD")
    assert (await profile(client, await log_in(client, email)))["id"] == known["id"]
    assert (await client.post("/api/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})).is_success


async def test_the_way_there_carries_state_and_a_challenge_and_leads_back_here_alone(
    client: httpx.AsyncClient, standin: str
) -> None:
    answer = await client.get(START, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
    address = answer.headers["location"]
    assert address.startswith(f"{standin}/o/oauth2/v2/auth?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert query["redirect_uri"] == "http://127.0.0.1:8000/api/auth/google/callback"
    assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
    assert len(query["state"]) >= 43
    assert "verifier" not in address
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert query["state"] not in cookie


async def test_the_cookie_is_for_https_alone_where_the_service_is(
    standin: str, backend: dict[str, Any], serve: Open
) -> None:
    client = await serve(**backend, **external(standin), public_url="https://mita.example")
    assert "secure" in (await client.get(START)).headers["set-cookie"].lower()


async def test_another_browser_cannot_finish_a_login(client: httpx.AsyncClient) -> None:
    back = await agreed(await began(client), an_email())
    client.cookies.clear()
    answer = await client.get(back)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GOOGLE_STATE_INVALID")


async def test_a_login_is_finished_once(client: httpx.AsyncClient) -> None:
    back = await agreed(await began(client), an_email())
    cookies = dict(client.cookies)
    assert (await client.get(back)).status_code == 200
    client.cookies.update(cookies)
    assert (await client.get(back)).status_code == 401


async def test_a_login_is_over_after_ten_minutes(client: httpx.AsyncClient, clock: SteppingClock) -> None:
    back = await agreed(await began(client), an_email())
    clock.step = timedelta(minutes=11)
    assert (await client.get(back)).status_code == 401


async def test_a_code_of_somebody_elses_login_is_not_accepted(client: httpx.AsyncClient) -> None:
    """The verifier belongs to the login, so a code that was injected into another one is worth nothing."""
    theirs = await agreed(await began(client), an_email())
    client.cookies.clear()
    address = await began(client)
    state = parse_qs(urlsplit(address).query)["state"][0]
    code = parse_qs(urlsplit(theirs).query)["code"][0]
    answer = await client.get(CALLBACK, params={"state": state, "code": code})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GOOGLE_LOGIN_FAILED")


@pytest.mark.parametrize("query", [{"error": "access_denied"}, {}, {"code": "wrong"}])
async def test_who_does_not_agree_is_not_logged_in(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    state = parse_qs(urlsplit(await began(client)).query)["state"][0]
    answer = await client.get(CALLBACK, params={"state": state, **query})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GOOGLE_LOGIN_FAILED")


async def test_an_address_that_google_has_not_verified_makes_no_user(client: httpx.AsyncClient) -> None:
    answer = await log_in(client, f"unverified-{an_email()}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GOOGLE_LOGIN_FAILED")


async def test_an_address_registered_with_a_password_is_not_taken_over(client: httpx.AsyncClient) -> None:
    email = an_email()
    await sign_up(client, email)
    answer = await log_in(client, email)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "EMAIL_TAKEN")


@pytest.mark.parametrize("password", ["", "!", "correct horse"])
async def test_a_user_of_google_has_no_password_that_fits(client: httpx.AsyncClient, password: str) -> None:
    email = an_email()
    assert (await log_in(client, email)).status_code == 200
    answer = await client.post("/api/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "garbage"),
    [
        ("/token", "<html>"),
        ("/token", '{"access_token": 5}'),
        ("/token", '{"access_token": ""}'),
        ("/userinfo", "[]"),
        ("/userinfo", '{"sub": "1"}'),
        ("/userinfo", '{"sub": "", "email": "a@b.c"}'),
        ("/userinfo", '{"sub": "1", "email": "a@b.c", "email_verified": "perhaps"}'),
    ],
)
async def test_a_provider_that_talks_nonsense_is_an_outage(
    client: httpx.AsyncClient, behave: Callable[..., Any], path: str, garbage: str
) -> None:
    back = await agreed(await began(client), an_email())
    await behave(garbage=garbage, path=path)
    answer = await client.get(back)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GOOGLE_UNAVAILABLE")


async def test_where_it_is_not_configured_it_says_so(backend: dict[str, Any], serve: Open) -> None:
    client = await serve(**backend)
    answer = await client.get(START)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "GOOGLE_UNAVAILABLE")
    assert "GOOGLE_CLIENT_ID" in answer.json()["error"]["message"]
