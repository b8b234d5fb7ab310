"""`/health/...`: for the orchestrator's probes, and for those who want to know more.

    GET /health/live            the process answers; nothing that it depends on counts
    GET /health/startup         it has looked at everything once
    GET /health/ready           requests should come
    GET /health/production      how well the service and its components are
    GET /health/comprehensive   that, with response times, history and circuit breakers

Who has the token is told everything; anybody else neither versions nor hosts nor errors. Answers are made when a check
has found something new, not when somebody asks: a probe costs a look into a dict.
"""

import asyncio
import hmac
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from opentelemetry.sdk.resources import OTELResourceDetector

from mita_otel.breakers import REGISTRY
from mita_otel.health import About, Check, Health
from mita_otel.health import render as view
from mita_otel.settings import Settings, environment
from mita_otel.web.asgi import Application, Message, Receive, Scope, Send

Answer: TypeAlias = tuple[Message, Message]
Asked: TypeAlias = tuple[str, bool, bool]
"""A page, whether everything is to be told, and whether as health+json."""


class Watched(NamedTuple):
    """The health of a process, and what only those with the token are told."""

    health: Health
    about: About


Find: TypeAlias = Callable[[Scope], Watched | None]

BEGINNING: Final = "/health/"

_STATE: Final = "mita_health"

_FRESH: Final = 1.0
"""Seconds for which an answer is given again although nothing new was found: it tells of times."""


class HealthEndpoints:
    """Answers below `/health/` in the place of the application.

    Args:
        app: the application.
        find: returns the health of the process by a request's scope, None before there is one; by default what
            `watching` watches.
        token: what `Authorization: Bearer` must hold to be told everything; by default the settings', and nobody is
            where they have none.
    """

    def __init__(self, app: Application, find: Find | None = None, token: str | None = None) -> None:
        self._app = app
        self._find = find or _watched
        self._token = _token(token)
        self._made: dict[Asked, Answer] = {}
        self._made_of = (0, 0)
        self._made_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request about health; pass everything else on."""
        if scope["type"] != "http" or not _page(scope).startswith(BEGINNING):
            await self._app(scope, receive, send)
            return
        page = _page(scope)[len(BEGINNING) :]
        if page not in _PAGES:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            answer = _answer(405, {"error": "only GET and HEAD are allowed"}, more=[(b"allow", b"GET, HEAD")])
        else:
            answer = self._known(self._find(scope), (page, *self._wanted(scope)))
        await send(answer[0])
        await send(answer[1] if scope["method"] != "HEAD" else {"type": "http.response.body", "body": b""})

    def _wanted(self, scope: Scope) -> tuple[bool, bool]:
        in_full = as_health_json = False
        for name, value in scope["headers"]:
            if name == b"accept" and view.HEALTH_JSON.encode() in value:
                as_health_json = True
            elif name == b"authorization":
                in_full = self._is_authorised(value)
        return in_full, as_health_json

    def _is_authorised(self, given: bytes) -> bool:
        scheme, _, token = given.partition(b" ")
        known = self._token
        return known is not None and scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), known)

    def _known(self, watched: Watched | None, asked: Asked) -> Answer:
        if watched is None:
            return _probe(is_good=asked[0] == "live", reason="starting")
        health = watched.health
        now = health.clock()
        of = (id(health), health.generation)
        if self._made_of != of or not 0 <= now - self._made_at < _FRESH:
            self._made.clear()
            self._made_of, self._made_at = of, now
        answer = self._made.get(asked)
        if answer is None:
            answer = self._made[asked] = _make(watched, asked)
        return answer


def _make(watched: Watched, asked: Asked) -> Answer:
    health, about = watched
    page, in_full, as_health_json = asked
    if page == "live":
        return _probe(is_good=True)
    if page == "startup":
        return _probe(is_good=health.is_started, reason="starting")
    if page == "ready":
        told = health.readiness
        return _probe(is_good=told.is_ready, reason=told.reason if in_full or told.reason in _PHASES else "dependency")
    status = view.status_code(health.level)
    if as_health_json:
        return _answer(status, view.health_json(health, about, in_full=in_full), view.HEALTH_JSON)
    make = view.production if page == "production" else view.comprehensive
    return _answer(status, make(health, about, in_full=in_full))


def _watched(scope: Scope) -> Watched | None:
    watched: Watched | None = getattr(scope["app"].state, _STATE, None)
    return watched


def _token(given: str | None) -> bytes | None:
    if given is not None:
        return given.encode()
    secret = Settings.read_leniently(environment())[0].admin_token
    return None if secret is None else secret.get_secret_value().encode()


_PAGES: Final = frozenset({"live", "startup", "ready", "production", "comprehensive"})
_PHASES: Final = frozenset({"starting", "draining"})


def _page(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def _probe(*, is_good: bool, reason: str = "") -> Answer:
    return _answer(200, {"status": "healthy"}) if is_good else _answer(503, {"status": "unhealthy", "reason": reason})


def _answer(
    status: int,
    content: Mapping[str, Any],
    media_type: str = view.PLAIN_JSON,
    more: list[tuple[bytes, bytes]] | None = None,
) -> Answer:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *(more or []),
    ]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


class _Application(Protocol):
    """What has a state, as FastAPI's and Starlette's applications have."""

    @property
    def state(self) -> Any: ...


def about(version: str) -> About:
    """Return what is told of a service by the name, the environment and the breakers that the process has.

    Args:
        version: of the service.
    """
    attributes = OTELResourceDetector().detect().attributes
    return About(
        service=str(attributes.get("service.name", "")),
        version=version,
        environment=str(attributes.get("deployment.environment.name", "")),
        breakers=lambda: [breaker.ledger.as_dict() for breaker in REGISTRY],
    )


@asynccontextmanager
async def watching(
    app: _Application, checks: Sequence[Check], about: About | None = None, settings: Settings | None = None
) -> AsyncIterator[Health]:
    """Watch over an application's health as long as the block runs; the last thing of its lifespan.

    Args:
        app: whose `HealthEndpoints` tell of it.
        checks: what to look at.
        about: what only those with the token are told.
        settings: by default what the environment says.

    Raises:
        ValueError: the checks, or MITA_FAIL_READY_ON, do not fit; see `Health`.
    """
    obeyed = settings or Settings.read_leniently(environment())[0]
    health = Health(checks, interval=obeyed.health_interval, fail_ready_on=obeyed.fail_ready_on)
    async with health.running(), draining(health, obeyed.drain_seconds):
        setattr(app.state, _STATE, Watched(health, about or About()))
        yield health


@asynccontextmanager
async def draining(health: Health, seconds: float) -> AsyncIterator[None]:
    """Say at SIGTERM that the process is not ready, and let the server know of the signal only so much later.

    While it still listens, the load balancer sees the answer of `/health/ready` and sends requests elsewhere; a server
    that is told at once closes its port with requests still on their way to it. Enter it where the server's own handler
    is in place already: in the application's lifespan.

    Args:
        health: of the process.
        seconds: between the signal and the server's handler; a second signal ends the wait.
    """
    server = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(server):
        yield
        return
    loop = asyncio.get_running_loop()

    def on_term(number: int, frame: FrameType | None) -> None:
        is_first = not health.is_draining
        health.drain()
        if is_first and seconds > 0:
            # Timers may only be set from within the loop, which a handler interrupts anywhere.
            loop.call_soon_threadsafe(loop.call_later, seconds, server, number, None)
        else:
            server(number, frame)

    signal.signal(signal.SIGTERM, on_term)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is on_term:
            signal.signal(signal.SIGTERM, server)
