"""An application behind rate limits, called as a server calls it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from mita_otel.ratelimit import Limiter, Policy, RateLimits
from mita_otel.ratelimit import limiter as room
from mita_otel.settings import RateLimitSettings, Settings

Application = Callable[[Any, Any, Any], Any]


class Answer:
    """What a client gets."""

    def __init__(self, messages: Sequence[dict[str, Any]]) -> None:
        self.messages = messages
        begun = messages[0] if messages else {}
        self.status = begun.get("status")
        self.headers = {name.decode(): value.decode() for name, value in begun.get("headers", ())}
        self.body = b"".join(message.get("body", b"") for message in messages)


class Site:
    """An application behind the middleware."""

    def __init__(self, limiter: Limiter, app: Application, **options: Any) -> None:
        self.limiter = limiter
        self._app = RateLimits(app, limiter, **options)

    async def request(
        self, path: str = "/x", method: str = "GET", *, peer: str = "203.0.113.9", **scope: Any
    ) -> Answer:
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(dict(message))

        async def receive() -> Any:
            await asyncio.sleep(0)
            return {"type": "http.request" if scope.get("type") != "websocket" else "websocket.connect"}

        whole = {"type": "http", "path": path, "method": method, "headers": [], "client": (peer, 1), **scope}
        if whole["type"] == "websocket":
            del whole["method"]
        await self._app(whole, receive, send)
        return Answer(sent)


async def hello(scope: Any, _: Any, send: Any) -> None:
    """Answer everything with 200; accept every WebSocket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-mine", b"1")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass for the limiter: what is left then does not depend on how busy the machine is."""
    clock = SimpleNamespace(monotonic=lambda: 1000.0, perf_counter=time.perf_counter)
    monkeypatch.setattr(room, "time", clock)


@pytest.fixture
def site() -> Callable[..., Site]:
    """Put an application behind policies; with none, `/x` may be asked twice a minute by an address."""

    def behind(
        *policies: Policy, app: Application = hello, variables: dict[str, str] | None = None, **options: Any
    ) -> Site:
        settings: RateLimitSettings = Settings.read(variables or {})
        chosen = policies or (Policy(name="x", quota=2, window=60, routes=("/x",)),)
        return Site(Limiter(chosen, secret="s" * 16, settings=settings), app, **options)

    return behind
