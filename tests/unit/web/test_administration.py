"""The route of the doctor at the level of ASGI."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel.settings import Settings
from mita_otel.web.administration import PATH, Administration
from mita_otel.web.server import ServerLayer
from tests.unit.web.layered import within

TOKEN = "0123456789abcdef"


def scope_of(path: str = PATH, token: str | None = TOKEN, **changes: Any) -> dict[str, Any]:
    headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode("latin-1"))]
    return {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": headers, **changes}


class Exchange:
    """An application that is never to be reached, and what was answered in its place."""

    def __init__(self, token: str = TOKEN) -> None:
        self.examined: list[object] = []
        self.reached = 0
        self.messages: list[Any] = []
        settings = Settings.read({"MITA_ADMIN_TOKEN": token})
        self.serve = within(ServerLayer(settings, MeterProvider(shutdown_on_exit=False), examine=self.examine))

    def examine(self, application: object) -> bytes:
        self.examined.append(application)
        return b"{}"

    async def application(self, _: Any, __: Any, ___: Any) -> None:
        self.reached += 1

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    def run(self, scope: dict[str, Any]) -> int | None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        asyncio.run(self.serve(self.application, scope, receive, self.send))
        return self.messages[0]["status"] if self.messages else None


def test_with_the_token_the_application_itself_is_examined() -> None:
    exchange = Exchange()
    assert exchange.run(scope_of()) == 200
    assert exchange.examined == [exchange.application]
    assert (b"cache-control", b"no-store") in exchange.messages[0]["headers"]
    assert exchange.reached == 0


def test_with_the_token_the_rate_limits_tell_what_they_do() -> None:
    exchange = Exchange()
    for page in ("/_mita/ratelimit", "/_mita/retries", "/_mita/performance"):
        assert exchange.run(scope_of(page)) == 200
    assert json.loads(exchange.messages[1]["body"])["scope"] == "process"
    assert exchange.examined == []
    assert Exchange().run(scope_of("/_mita/ratelimit", token=None)) == 401


@given(
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40).filter(lambda text: text.strip() != TOKEN)
)
def test_any_other_token_is_refused(token: str) -> None:
    exchange = Exchange()
    assert exchange.run(scope_of(token=token)) == 401
    assert exchange.examined == []


@pytest.mark.parametrize(
    "scope",
    [
        scope_of("/x" + PATH),
        scope_of(PATH + "/"),
        scope_of("/_mita"),
        scope_of(root_path="/api"),
        scope_of(type="websocket"),
    ],
)
def test_what_only_looks_like_it_is_the_applications(scope: dict[str, Any]) -> None:
    exchange = Exchange()
    exchange.run(scope)
    assert (exchange.reached, exchange.examined) == (1, [])


def test_below_a_prefix_the_route_is_there_too() -> None:
    assert Exchange().run(scope_of("/api" + PATH, root_path="/api")) == 200


def test_without_a_token_in_the_settings_it_is_the_applications() -> None:
    exchange = Exchange(token="")
    exchange.run(scope_of(token=""))
    assert exchange.reached == 1


def test_an_examination_that_fails_is_an_answer_without_its_reason() -> None:
    exchange = Exchange()
    administration = Administration(TOKEN, lambda _: (_ for _ in ()).throw(ValueError("secret")))
    asyncio.run(administration(object(), scope_of(), exchange.send))
    assert exchange.messages[0]["status"] == 500
    assert b"secret" not in exchange.messages[1]["body"]
    exchange.messages.clear()
    asyncio.run(administration(object(), scope_of(), exchange.send))
    assert exchange.messages[0]["status"] == 500, "it was not left busy"
