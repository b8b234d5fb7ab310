"""The ASGI layer: holds requests to their limits before the application sees them, and tells clients what is left."""

import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
from opentelemetry import trace

from mita_otel.ratelimit.headers import Headers, Told, fields, retry_after
from mita_otel.ratelimit.limiter import Charge, Limiter, Verdict
from mita_otel.ratelimit.limits import Policy
from mita_otel.ratelimit.statistics import BLOCKED

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

TOO_MANY_REQUESTS: Final = 429
TRY_AGAIN_LATER: Final = 1013
"""Source: the registry of WebSocket close codes, RFC 6455."""

DENIAL: Final = "websocket.http.response"
"""The extension by which a server answers a handshake with a response of the application's."""

BLOCKED_BY: Final = "mita.rate_limit.blocked_by"
"""Attribute of the request's span: names of policies."""

LOG_INTERVAL: Final = 60.0

_logger: Final = logging.getLogger("mita_otel.ratelimit")


class Refusal(NamedTuple):
    """Why a request is refused.

    Attributes:
        policies: the names of those that had no room.
        retry_after: seconds to wait.
    """

    policies: tuple[str, ...]
    retry_after: int


class Body(NamedTuple):
    """What a refused client is answered."""

    media_type: str
    content: bytes


class LimitedError(Exception):
    """An account has no room for a request; the middleware answers it if nobody else does."""

    def __init__(self, refusal: Refusal) -> None:
        """Take the reason."""
        super().__init__(f"too many requests: try again in {refusal.retry_after} s")
        self.refusal = refusal


def plain_body(refusal: Refusal) -> Body:
    """Return a body in JSON that says when to come again."""
    message = f"too many requests: try again in {refusal.retry_after} s"
    return Body(
        "application/json", orjson.dumps({"success": False, "error": {"code": "RATE_LIMITED", "message": message}})
    )


class Visit:
    """One request, and the policies that it has met.

    Attributes:
        is_answered: whether its answer has begun.
    """

    __slots__ = ("_limiter", "_refusal", "_told", "is_answered")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._told: list[Told] = []
        self._refusal: Refusal | None = None
        self.is_answered = False

    async def take(self, charges: list[Charge]) -> Refusal | None:
        """Take of quotas; return why not, if one has no room."""
        verdicts = await self._limiter.take(charges)
        self._told += [told for verdict in verdicts if (told := verdict.told) is not None]
        self._refusal = _refusal(verdicts)
        if self._refusal is not None:
            trace.get_current_span().set_attribute(BLOCKED_BY, self._refusal.policies)
        return self._refusal

    async def charge(self, name: str, account: str) -> None:
        """Take of an account's quota.

        Raises:
            LimitedError: it has no room.
            LookupError: there is no policy of that name for accounts.
        """
        policy = self._limiter.policies.get(name)
        if policy is None or policy.key != "account":
            raise LookupError(f"there is no rate limit {name!r} with key='account'")
        try:
            refusal = await self.take([self._limiter.account_charge(policy, account)])
        except Exception:  # noqa: BLE001 - the room's door
            _report(self._limiter, [policy])
            return
        if refusal is not None:
            raise LimitedError(refusal)

    def headers(self) -> Headers:
        """Return what to tell the client; `Retry-After` once a policy has blocked it."""
        found = fields(self._told, legacy=self._limiter.legacy_headers)
        if self._refusal is not None:
            found.append((b"retry-after", str(self._refusal.retry_after).encode()))
        return found

    def sending(self, send: Send) -> Send:
        """Wrap the server's send so that the headers are added to the answer."""

        async def told(message: Message) -> None:
            self.is_answered = True
            if self._told and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *self.headers()]}
            await send(message)

        return told


_visit: ContextVar[Visit | None] = ContextVar("mita_ratelimit_visit", default=None)


async def charge(policy: str, account: str) -> None:
    """Take of the quota of the account that the request being served is about.

    Call it with what was validated, before the work that the limit protects: only the handler knows which account a
    body names, and two readers of one body may differ.

    Args:
        policy: the name of one whose key is `account`.
        account: in one form only: an e-mail address in small letters, for example. It is kept as a keyed digest.

    Raises:
        LimitedError: the account has no room; the middleware makes it an answer of status 429.
        LookupError: there is no such policy, or no `RateLimits` around the application.
    """
    visit = _visit.get()
    if visit is None:
        raise LookupError("no RateLimits is around this request: app.add_middleware(RateLimits, limiter=...)")
    await visit.charge(policy, account)


class RateLimits:
    """Answers 429 to a request that has no room under one of its policies, before the application sees it.

    As the server starts, this process makes itself known to its replicas. `OPTIONS` and paths without a policy go
    through. A WebSocket's handshake is held to the limits as a GET; what is
    sent over it afterwards is not counted.

    Args:
        app: the application.
        limiter: decides.
        user: tells the user of a request whose token it has verified; None, or an exception, is an anonymous one.
        body: makes the body of an answer of status 429.
    """

    __slots__ = ("_app", "_body", "_limiter", "_user")

    def __init__(
        self,
        app: Application,
        limiter: Limiter,
        *,
        user: Callable[[Scope], str | None] = lambda _: None,
        body: Callable[[Refusal], Body] = plain_body,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._user = user
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or answer it in the application's place."""
        if scope["type"] == "lifespan":
            await self._limiter.introduce()
        if scope["type"] not in {"http", "websocket"} or scope.get("method") == "OPTIONS":
            await self._app(scope, receive, send)
            return
        visit = Visit(self._limiter)
        refusal = await self._held_to_limits(visit, scope)
        if refusal is not None:
            if scope["type"] == "websocket":
                await receive()  # "websocket.connect", which an application sees before it answers
            await self._refuse(visit, refusal, scope, send)
            return
        token = _visit.set(visit)
        try:
            await self._app(scope, receive, visit.sending(send))
        except LimitedError as limited:
            if visit.is_answered:
                raise
            await self._refuse(visit, limited.refusal, scope, send)
        finally:
            _visit.reset(token)

    async def _held_to_limits(self, visit: Visit, scope: Scope) -> Refusal | None:
        policies: list[Policy] = []
        try:
            policies = self._limiter.matching(scope)
            if not policies:
                return None
            user = self._user_of(scope) if any(policy.key == "caller" for policy in policies) else None
            return await visit.take(self._limiter.charges(policies, scope, user))
        except Exception:  # noqa: BLE001 - the room's door
            _report(self._limiter, policies)
            return None

    def _user_of(self, scope: Scope) -> str | None:
        try:
            return self._user(scope)
        except Exception:  # noqa: BLE001 - whoever makes it fail must not be free of limits: they are anonymous
            _log_fault("the user of a request could not be told; it counts as an anonymous one")
            return None

    async def _refuse(self, visit: Visit, refusal: Refusal, scope: Scope, send: Send) -> None:
        kind = "http.response" if scope["type"] == "http" else DENIAL
        if kind == DENIAL and DENIAL not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            return
        body = self._body(refusal)
        headers = [
            (b"content-type", body.media_type.encode()),
            (b"content-length", str(len(body.content)).encode()),
            *visit.headers(),
        ]
        await send({"type": f"{kind}.start", "status": TOO_MANY_REQUESTS, "headers": headers})
        await send({"type": f"{kind}.body", "body": body.content})


def _refusal(verdicts: Iterable[Verdict]) -> Refusal | None:
    blocked = [verdict for verdict in verdicts if verdict.result in BLOCKED]
    if not blocked:
        return None
    wait = retry_after(verdict.decision for verdict in blocked if verdict.decision is not None)
    return Refusal(tuple(verdict.charge.policy.name for verdict in blocked), wait)


_logged_at: dict[str, float] = {}


def _report(limiter: Limiter, policies: Iterable[Policy]) -> None:
    for policy in policies:
        limiter.statistics.count(policy.name, "error", None)
    _log_fault("a request was not held to its rate limits")


def _log_fault(sentence: str) -> None:
    now = time.monotonic()
    if now - _logged_at.get(sentence, -LOG_INTERVAL) >= LOG_INTERVAL:
        _logged_at[sentence] = now
        _logger.warning(sentence, exc_info=sys.exception(), extra={"mita.log.stream": "security"})
