"""The outermost layer around an application: correlation id, inbound context, response headers, body sizes."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext

from mita_otel import correlation
from mita_otel.metrics.event_loop import EventLoopLag
from mita_otel.redaction import redact_text
from mita_otel.settings import Settings
from mita_otel.slo.telling import OBJECTIVES
from mita_otel.traces import request as request_span
from mita_otel.traces.request import put, received
from mita_otel.web import objectives
from mita_otel.web.administration import Administration, Examine
from mita_otel.web.asgi import Message, Receive, Scope, Send
from mita_otel.web.errors import FIRST_ERROR, Errors
from mita_otel.web.exchange import SCOPE_KEY, BodySizes, Exchange, ResponseHeaders, Span, opened
from mita_otel.web.exchange import known_method as known_method  # noqa: PLC0414 - whoever serves needs it
from mita_otel.web.inbound import CONTEXT_HEADERS, GETTER, Headers, Inbound, read
from mita_otel.web.paths import Excluded
from mita_otel.web.repeated import RepeatedStatements
from mita_otel.web.slow import SlowRequests

__all__ = ["SCOPE_KEY", "Exchange", "Message", "Receive", "Scope", "Send", "ServerLayer", "Spans", "known_method"]


_logger: Final = logging.getLogger("mita_otel.web")


def _log_fault() -> None:
    _logger.warning("a request is served without some of its telemetry", exc_info=sys.exception())


class Spans(Protocol):
    """Begins the SERVER spans of our own path."""

    def begin(self, app: Any, scope: Scope, exchange: Exchange, inbound: Inbound) -> Span | None:
        """Start the span of a request and make it current; None where another path serves the application."""


class ServerLayer:
    """Surrounds each request with everything that an application is served with; faults of ours never reach it.

    Args:
        settings: what it obeys.
        meter_provider: for body sizes and the event loop's lag.
        examine: examines this process; offered to whoever has the settings' token, if they have one.
        spans: begins SERVER spans; without it, whoever instruments the application does.
        report: counts and logs the fault being handled.

    Attributes:
        administration: answers to whoever has the settings' token; None if they have none.
        excluded: says whether a path is left out.
        report: as given.
    """

    def __init__(
        self,
        settings: Settings,
        meter_provider: MeterProvider,
        *,
        examine: Examine | None = None,
        spans: Spans | None = None,
        report: Callable[[], None] = _log_fault,
    ) -> None:
        self.excluded = Excluded(settings.excluded_paths)
        self.report = report
        self.administration = (
            Administration(settings.admin_token.get_secret_value(), examine)
            if settings.admin_token is not None and examine is not None
            else None
        )
        self._inbound_context = settings.inbound_context
        self._headers = ResponseHeaders(settings.trace_response)
        self._sizes = BodySizes(meter_provider)
        self._errors = Errors(meter_provider)
        self._repeated = RepeatedStatements(meter_provider, settings.n_plus_one)
        self._slow = SlowRequests(settings.slow_request_seconds, settings.trace_url)
        self._lag = EventLoopLag(meter_provider)
        self._spans = spans

    def watch_loop(self) -> None:
        """Measure how late the running event loop is, from now on; a fault of ours is reported, and no more."""
        try:
            self._lag.watch(asyncio.get_running_loop())
        except Exception:  # noqa: BLE001 - the room's door
            self.report()

    def open(self, app: Any, scope: Scope, receive: Receive, send: Send) -> Exchange:
        """Begin to serve a request: what the application is called with is in the exchange.

        Raises:
            Exception: a fault of ours; the application is to be called as if nobody was here.
        """
        # Of a function that is called here, 0.3 us are the call: behind a server nothing of it is in the caches.
        if self._lag.latest() is None:  # to ask for the running loop is a system call
            self.watch_loop()
        inbound = read(scope["headers"])
        parent = None
        if self._inbound_context != "trust":
            if self._inbound_context == "link":
                parent = self._untrusted_parent(inbound.context)
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] not in CONTEXT_HEADERS]}
            inbound = inbound._replace(context=[])
        path: str = scope["path"]
        is_excluded = self.excluded(path) if (known := self.excluded.known(path)) is None else known
        judged = OBJECTIVES[0] if OBJECTIVES else None
        if scope["type"] == "http":
            served = received(parent, {}, None if judged is None else {})
            sizes = None if is_excluded else self._sizes
        else:
            served, sizes = received(parent), None
        outer = request_span.current()
        # A task may have inherited a request that another one serves, or served before.
        is_nested = outer is not None and request_span.is_served_here(outer)
        served.before = put(served)
        exchange = opened(scope, receive, send, served, sizes, self._headers, self.report, self._repeated)
        exchange.is_excluded = is_excluded
        exchange.objectives = judged
        theirs = inbound.correlation_id
        # As `correlation.create`: few callers send an id.
        exchange.correlation_id = (
            correlation.random_bits(128).to_bytes(16, "big").hex()
            if theirs is None
            else correlation.accept(_harmless(theirs))
        )
        exchange.is_nested = is_nested
        exchange.bound = correlation.bind(exchange.correlation_id)
        if self._spans is not None and is_excluded:
            # FastAPI's own telemetry would take 4 us to find that out again.
            scope.setdefault("fastapi.telemetry", None)
        elif self._spans is not None:
            try:
                exchange.span = self._spans.begin(app, scope, exchange, inbound)
            except Exception:  # noqa: BLE001 - the room's door
                self.report()
        return exchange

    def close(self, exchange: Exchange, failure: BaseException | None) -> None:
        """End what `open` began.

        Args:
            exchange: the request.
            failure: what left the application.
        """
        try:
            if not exchange.status:
                exchange.asked()
            if exchange.span is not None:
                exchange.span.close(failure)
            if exchange.is_counted:
                if failure is not None or exchange.status >= FIRST_ERROR:
                    self._errors.count(exchange.status, failure if isinstance(failure, Exception) else None)
                if (seconds := exchange.ended - exchange.opened) > 0 and seconds <= self._slow.limit:
                    self._slow.passed(seconds)
                else:
                    self._slow.look(exchange, failure)
                if exchange.objectives is not None:
                    objectives.count(exchange, failure)
        except Exception:  # noqa: BLE001 - the room's door
            self.report()
        # Only a request within a request gives the id back: else the server's last words about it are still to come.
        if exchange.is_nested and exchange.served.before is not None:
            correlation.unbind(exchange.bound)
            request_span.restore(exchange.served.before)
        # Each is half of a circle: every request would wait for the garbage collector, with all that it held.
        exchange.span = None
        exchange.served.route = None
        exchange.served.before = None
        exchange.scope.pop(SCOPE_KEY, None)

    def _untrusted_parent(self, headers: Headers) -> SpanContext | None:
        extracted = propagate.extract(headers, context=otel_context.Context(), getter=GETTER)
        parent = trace.get_current_span(extracted).get_span_context()
        return parent if parent.is_valid else None


def _harmless(candidate: bytes) -> str | None:
    """Return a caller's id unless it holds what must be masked: it is repeated in every log line."""
    text = candidate.decode("latin-1")
    return text if len(text) <= correlation.MAX_LENGTH and redact_text(text) == text else None
