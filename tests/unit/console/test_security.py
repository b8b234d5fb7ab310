"""Strangers are kept out: other hosts, other origins, those without the token."""

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mita_otel.console.security import COOKIE, Access, Guard, hosts_for

TOKEN = "correct-horse"
Client = Callable[..., httpx.AsyncClient]


@pytest.fixture
def client() -> Client:
    def make(*, host: str = "127.0.0.1", token: str | None = None) -> httpx.AsyncClient:
        async def answer(_request: Request) -> PlainTextResponse:
            return PlainTextResponse("inside")

        app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
        guard = Guard(app, Access(token), hosts_for(host))
        return httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://localhost:8317")

    return make


@pytest.mark.parametrize("host", ["localhost", "localhost:8317", "127.0.0.1:4318", "[::1]:8317", "LOCALHOST:1"])
async def test_the_names_of_this_machine_are_let_in(client: Client, host: str) -> None:
    assert (await client().get("/", headers={"host": host})).text == "inside"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8317", "evil@localhost:x", "", "[", "0"]
)
async def test_other_names_are_not_whatever_they_resolve_to(client: Client, host: str) -> None:
    assert (await client().get("/", headers={"host": host})).status_code == 403


async def test_another_origin_cannot_write(client: Client) -> None:
    for origin in ("http://evil.example", "null", "http://localhost:9999", "http://[", "localhost:8317"):
        assert (await client().post("/v1/traces", headers={"origin": origin})).status_code == 403
    assert (await client().post("/v1/traces", headers={"origin": "http://localhost:8317"})).status_code == 200


async def test_every_answer_binds_the_browser(client: Client) -> None:
    for path, caching in (("/", "no-cache"), ("/assets/main.js", "no-cache"), ("/api/services", "no-store")):
        headers = (await client().get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == caching
    assert "content-security-policy" in (await client().get("/", headers={"host": "evil"})).headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"{COOKIE}="},
        {"cookie": "\x7f=;;;"},
    ],
)
async def test_without_the_token_nobody_is_let_in(client: Client, headers: dict[str, str]) -> None:
    answer = await client(host="0.0.0.0", token=TOKEN).get("/", headers={"host": "box:8317", **headers})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_lets_in_under_any_name(client: Client, scheme: str) -> None:
    headers = {"host": "box:8317", "authorization": f"{scheme} {TOKEN}"}
    assert (await client(host="0.0.0.0", token=TOKEN).get("/", headers=headers)).text == "inside"


async def test_a_link_with_the_token_is_exchanged_for_a_cookie(client: Client) -> None:
    async with client(token=TOKEN) as browser:
        answer = await browser.get(f"/?a=1&token={TOKEN}&b=2")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?a=1&b=2")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert (await browser.get("/")).text == "inside"


@pytest.mark.parametrize(
    "path", [f"/?token={TOKEN}", f"//evil.example/?token={TOKEN}", f"/\\evil.example?token={TOKEN}"]
)
async def test_the_exchange_leads_nowhere_else(client: Client, path: str) -> None:
    answer = await client(token=TOKEN).get(f"http://localhost:8317{path}")
    assert answer.status_code == 303
    assert str(answer.next_request.url if answer.next_request else "").startswith("http://localhost:8317/")


async def test_a_link_lets_nobody_write(client: Client) -> None:
    assert (await client(token=TOKEN).post(f"/v1/traces?token={TOKEN}")).status_code == 401


@given(st.text())
def test_any_credentials_are_right_or_wrong(text: str) -> None:
    access = Access(TOKEN)
    assert access.allows(f"Bearer {text}") == (text.strip() == TOKEN)
    assert not access.knows_cookie(f"{COOKIE}={text}")
