"""Requests in the audit log: those that are slow, fail, log somebody in or touch money, by rules; no others.

What a request changed is recorded where it is changed, by `audit.modification`; here is that it was tried, from where,
and how it ended. Bodies are never looked at.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from mita_otel.logs import audit
from mita_otel.logs.audit import EventType, Outcome, Sensitivity
from mita_otel.redaction import redact_path
from mita_otel.web.asgi import Application, Message, Receive, Scope, Send
from mita_otel.web.paths import Excluded

SLOW: Final = 2.0
"""Seconds. Source: observability report, section 1.3."""

CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ANY_STATUS: Final = range(1000)
_FAILED: Final = 400
_NO_ANSWER: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Requests that are recorded; all that is said must hold.

    Attributes:
        name: appears in the record.
        event_type: as what they are recorded.
        sensitivity: unless the kind's own is right.
        paths: patterns, `*` standing for any characters.
        methods: empty for any.
        statuses: of the answer.
        seconds: that it took at least.
    """

    name: str
    event_type: EventType = EventType.REQUEST
    sensitivity: Sensitivity | None = None
    paths: tuple[str, ...] = ("*",)
    methods: frozenset[str] = frozenset()
    statuses: range = ANY_STATUS
    seconds: float = 0.0


RULES: Final[tuple[Rule, ...]] = (
    Rule(name="authentication", event_type=EventType.AUTHENTICATION, paths=("*/auth/*", "*/login"), methods=CHANGING),
    Rule(name="refused", event_type=EventType.AUTHORIZATION, statuses=range(401, 402)),
    Rule(name="forbidden", event_type=EventType.AUTHORIZATION, statuses=range(403, 404)),
    Rule(name="failed", event_type=EventType.RESPONSE, statuses=range(500, 600)),
    Rule(name="slow", event_type=EventType.RESPONSE, seconds=SLOW),
)
"""What every service records; what is financial only it can say. The first rule that fits gives kind and sensitivity.
Source: observability report, section 1.2."""


class AuditRequests:
    """Records requests by rules, and tells every record made meanwhile where the request came from.

    Args:
        app: the application around which it is put.
        rules: in their order.
        clock: tells seconds.
    """

    def __init__(
        self, app: Application, rules: Sequence[Rule] = RULES, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._rules = [(rule, Excluded(rule.paths)) for rule in rules]
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; pass everything else through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        client = scope.get("client")
        began = self._clock()
        with audit.origin(audit.Origin(client[0] if client else None, lambda: _place(scope))):
            try:
                await self._app(scope, receive, noted)
            except Exception:
                status = status or _NO_ANSWER
                raise
            finally:
                if status:
                    self._judge(scope, status, self._clock() - began)

    def _judge(self, scope: Scope, status: int, seconds: float) -> None:
        method, path = scope["method"], scope["path"]
        fitting = [
            rule
            for rule, concerns in self._rules
            if status in rule.statuses
            and seconds >= rule.seconds
            and (not rule.methods or method in rule.methods)
            and concerns(path)
        ]
        if not fitting:
            return
        first = fitting[0]
        details: dict[str, object] = {
            "rules": [rule.name for rule in fitting],
            "status": status,
            "seconds": round(seconds, 6),
        }
        if query := scope.get("query_string"):
            # Their names alone: what a one-time code is called is nothing that a list of secrets knows.
            details["parameters"] = sorted({name for name, _ in parse_qsl(query.decode("latin-1"), True)})
        audit.record(
            first.event_type,
            f"request.{first.name}",
            outcome=Outcome.FAILURE if status >= _FAILED else Outcome.SUCCESS,
            sensitivity=first.sensitivity or audit.SENSITIVITY[first.event_type],
            details=details,
        )


def _place(scope: Scope) -> str:
    """Return which request it is: by the route's template, or, before it is known, by the masked path."""
    template = getattr(scope.get("fastapi.telemetry"), "route", None) or _template(scope)
    return f"{scope['method']} {template or redact_path(scope['path'])}"


def _template(scope: Scope) -> str | None:
    """Return the template of the route, with what routers and mounts put before it, which it does not know."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None or ":path}" in template:
        return template
    before = scope["path"].count("/") - template.count("/")
    return redact_path("/".join(scope["path"].split("/")[: before + 1])) + template if before > 0 else template
