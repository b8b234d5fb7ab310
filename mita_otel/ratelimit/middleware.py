"""The ASGI layer: holds requests to their limits before the application sees them, and tells clients what is left."""

import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import orjson
from opentelemetry import trace

from mita_otel.errors import RateLimitError
from mita_otel.ratelimit.headers import Headers, Told, fields, retry_after
from mita_otel.ratelimit.limiter import Charge, Limiter, Verdict
from mita_otel.ratelimit.limits import Policy
from mita_otel.ratelimit.statistics import BLOCKED

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

TRY_AGAIN_LATER: Final = 1013
"""Source: the registry of WebSocket close codes, RFC 6455."""

DENIAL: Final = "websocket.http.response"
"""The extension by which a server answers a handshake with a response of the application's."""

BLOCKED_BY: Final = "mita.rate_limit.blocked_by"
"""Attribute of the request's span: names of policies."""

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records of one fault."""

_STARTS: Final = frozenset({"http.response.start", f"{DENIAL}.start"})

_logger: Final = logging.getLogger("mita_otel.ratelimit")


class LimitedError(RateLimitError):
    """A request has no room under its limits; the middleware answers it if nobody else does.

    Attributes:
        policies: the names of those that had no room.
        retry_after: seconds to wait.
    """

    def __init__(self, policies: tuple[str, ...], retry_after: int) -> None:
        """Take the reason."""
        super().__init__(
            f"too many requests: try again in {retry_after} s",
            details={"policies": policies, "retry_after": retry_after},
            headers={"Retry-After": str(retry_after)},
        )
        self.policies = policies
        self.retry_after = retry_after


Answer: TypeAlias = Callable[[Scope, LimitedError], Application]
"""Makes the answer to a refused request."""


def plain_answer(_: Scope, error: LimitedError) -> Application:
    """Return an answer in JSON that says when to come again."""
    told = {"code": error.code, "message": error.message, "details": error.details}
    content = orjson.dumps({"success": False, "error": told})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]

    async def answer(scope: Scope, _: Receive, send: Send) -> None:
        kind = "http.response" if scope["type"] == "http" else DENIAL
        await send({"type": f"{kind}.start", "status": error.status, "headers": headers})
        await send({"type": f"{kind}.body", "body": content})

    return answer


class Visit:
    """One request, and the policies that it has met.

    Attributes:
        limiter: decides about it.
        is_answered: whether its answer has begun.
    """

    __slots__ = ("_retry_after", "_told", "is_answered", "limiter")

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self._told: list[Told] = []
        self._retry_after = 0
        self.is_answered = False

    async def take(self, charges: list[Charge]) -> LimitedError | None:
        """Take of quotas; return why not, if one has no room."""
        verdicts = await self.limiter.take(charges)
        self._told += [told for verdict in verdicts if (told := verdict.told) is not None]
        limited = _limited(verdicts)
        if limited is not None:
            self._retry_after = limited.retry_after
            trace.get_current_span().set_attribute(BLOCKED_BY, limited.policies)
        return limited

    async def charge(self, name: str, account: str) -> None:
        """Take of an account's quota.

        Raises:
            LimitedError: it has no room.
            LookupError: there is no policy of that name for accounts.
        """
        policy = self.limiter.policies.get(name)
        if policy is None or policy.key != "account":
            raise LookupError(f"there is no rate limit {name!r} with key='account'")
        if not self.limiter.is_on:
            return
        try:
            limited = await self.take([self.limiter.account_charge(policy, account)])
        except Exception:  # noqa: BLE001 - the room's door
            _report(self.limiter, [policy])
            return
        if limited is not None:
            raise limited

    def headers(self, given: Headers) -> Headers:
        """Return an answer's headers with what the client is told; `Retry-After` once a policy has blocked it."""
        found = [*given, *fields(self._told, legacy=self.limiter.legacy_headers)]
        if self._retry_after and all(name.lower() != b"retry-after" for name, _ in given):
            found.append((b"retry-after", str(self._retry_after).encode()))
        return found

    def sending(self, send: Send) -> Send:
        """Wrap the server's send so that the headers are added to the answer."""

        async def told(message: Message) -> None:
            self.is_answered = True
            if self._told and message["type"] in _STARTS:
                message = {**message, "headers": self.headers([*message.get("headers", ())])}
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
        limiter: decides; or a function of the scope that returns it, for an application that makes it as it starts, and
            calls `introduce` itself.
        user: tells the user of a request whose token it has verified; None, or an exception, is an anonymous one.
        answer: makes the answer to an HTTP request that is refused; status and headers may be others than the error's.
    """

    __slots__ = ("_answer", "_app", "_limiter", "_user")

    def __init__(
        self,
        app: Application,
        limiter: Limiter | Callable[[Scope], Limiter],
        *,
        user: Callable[[Scope], str | None] = lambda _: None,
        answer: Answer = plain_answer,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._user = user
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or answer it in the application's place."""
        if scope["type"] == "lifespan" and isinstance(self._limiter, Limiter):
            await self._limiter.introduce()
        if scope["type"] not in {"http", "websocket"} or scope.get("method") == "OPTIONS":
            await self._app(scope, receive, send)
            return
        visit = Visit(self._limiter if isinstance(self._limiter, Limiter) else self._limiter(scope))
        sending = visit.sending(send)
        limited = await self._held_to_limits(visit, scope)
        if limited is not None:
            if scope["type"] == "websocket":
                await receive()  # "websocket.connect", which an application sees before it answers
            await self._refuse(limited, scope, receive, sending)
            return
        token = _visit.set(visit)
        try:
            await self._app(scope, receive, sending)
        except LimitedError as error:
            if visit.is_answered:
                raise
            await self._refuse(error, scope, receive, sending)
        finally:
            _visit.reset(token)

    async def _held_to_limits(self, visit: Visit, scope: Scope) -> LimitedError | None:
        policies: list[Policy] = []
        try:
            policies = visit.limiter.matching(scope)
            if not policies:
                return None
            user = self._user_of(scope) if any(policy.key == "caller" for policy in policies) else None
            return await visit.take(visit.limiter.charges(policies, scope, user))
        except Exception:  # noqa: BLE001 - the room's door
            _report(visit.limiter, policies)
            return None

    def _user_of(self, scope: Scope) -> str | None:
        try:
            return self._user(scope)
        except Exception:  # noqa: BLE001 - whoever makes it fail must not be free of limits: they are anonymous
            _log_fault("the user of a request could not be told; it counts as an anonymous one")
            return None

    async def _refuse(self, limited: LimitedError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and DENIAL not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        else:
            answer = self._answer if scope["type"] == "http" else plain_answer
            await answer(scope, limited)(scope, receive, send)


def _limited(verdicts: Iterable[Verdict]) -> LimitedError | None:
    blocked = [verdict for verdict in verdicts if verdict.result in BLOCKED]
    if not blocked:
        return None
    wait = retry_after(verdict.decision for verdict in blocked if verdict.decision is not None)
    return LimitedError(tuple(verdict.charge.policy.name for verdict in blocked), wait)


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
