"""The outermost layer around an application: correlation id, inbound context, response headers, body sizes."""

import asyncio
import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Protocol
from weakref import ReferenceType, ref

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext

from mita_otel import correlation, slo
from mita_otel.metrics.event_loop import EventLoopLag
from mita_otel.redaction import redact_text
from mita_otel.settings import Settings
from mita_otel.traces import request as request_span
from mita_otel.web import objectives
from mita_otel.web.administration import Administration, Examine
from mita_otel.web.asgi import Application, Message, Receive, Scope, Send
from mita_otel.web.errors import FIRST_ERROR, Errors
from mita_otel.web.exchange import SCOPE_KEY, BodySizes, Exchange, ResponseHeaders, Span
from mita_otel.web.exchange import known_method as known_method  # noqa: PLC0414 - whoever serves needs it
from mita_otel.web.inbound import CONTEXT_HEADERS, GETTER, Headers, Inbound, read
from mita_otel.web.paths import excluding
from mita_otel.web.repeated import RepeatedStatements
from mita_otel.web.slow import SlowRequests

__all__ = ["SCOPE_KEY", "Exchange", "Message", "Receive", "Scope", "Send", "ServerLayer", "Spans", "known_method"]


_logger: Final = logging.getLogger("mita_otel.web")
_serving_task: ContextVar[ReferenceType[asyncio.Task[Any]] | None] = ContextVar("mita_serving_task", default=None)
"""The task that serves the request. A task holds its context: if that held the task, both would stay until the garbage
collector comes."""


def _log_fault() -> None:
    _logger.warning("a request is served without some of its telemetry", exc_info=sys.exception())


class Spans(Protocol):
    """Begins the SERVER spans of our own path."""

    def begin(self, app: Any, scope: Scope, exchange: Exchange, inbound: Inbound) -> Span | None:
        """Start the span of a request and make it current; None where another path serves the application."""


class ServerLayer:
    """Serves one request with everything that surrounds it; faults of ours never reach the application.

    Args:
        settings: what it obeys.
        meter_provider: for body sizes and the event loop's lag.
        examine: examines this process; offered to whoever has the settings' token, if they have one.
        spans: begins SERVER spans; without it, whoever instruments the application does.
        report: counts and logs the fault being handled.
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
        self.excluded = excluding(settings.excluded_paths)
        self._inbound_context = settings.inbound_context
        self._headers = ResponseHeaders(settings.trace_response)
        self._sizes = BodySizes(meter_provider)
        self._errors = Errors(meter_provider)
        self._repeated = RepeatedStatements(meter_provider, settings.n_plus_one)
        self._slow = SlowRequests(settings.slow_request_seconds, settings.trace_url)
        self._lag = EventLoopLag(meter_provider)
        self._spans = spans
        self._report = report
        self._administration = (
            Administration(settings.admin_token.get_secret_value(), examine)
            if settings.admin_token is not None and examine is not None
            else None
        )

    async def __call__(self, app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request or a WebSocket; pass everything else, and what is being served already, through."""
        if scope["type"] not in {"http", "websocket"} or SCOPE_KEY in scope:
            await app(scope, receive, send)
            return
        if self._administration is not None and self._administration.concerns(scope):
            request_span.begin()
            await self._administration(app, scope, send)
            return
        try:
            scope, exchange, inbound, before = self._open(scope, receive, send)
        except Exception:  # noqa: BLE001 - the room's door
            self._report()
            await app(scope, receive, send)
            return
        task = asyncio.current_task()
        serving = _serving_task.get()
        nested = task is not None and serving is not None and serving() is task
        _serving_task.set(None if task is None else ref(task))
        token = correlation.bind(exchange.correlation_id)
        failure: BaseException | None = None
        try:
            if exchange.is_excluded:
                # A health check's query must not become a root trace of its own.
                with suppress_instrumentation():
                    await app(scope, exchange.receive, exchange.send)
            else:
                if self._spans is not None:
                    exchange.span = self._begin(self._spans, app, scope, exchange, inbound)
                await app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._close(exchange, failure)
            # The two hold each other: left so, every request would wait for the garbage collector, with all it held.
            scope.pop(SCOPE_KEY, None)
            exchange.let_go()
            # Only a request within a request, in one task, gives the id back: else the server's own last words about
            # the request are still to come. A task may have inherited the id of the request before.
            if nested:
                correlation.unbind(token)
                request_span.restore(before)

    def _begin(self, spans: Spans, app: Any, scope: Scope, exchange: Exchange, inbound: Inbound) -> Span | None:
        try:
            return spans.begin(app, scope, exchange, inbound)
        except Exception:  # noqa: BLE001 - the room's door
            self._report()
            return None

    def _close(self, exchange: Exchange, failure: BaseException | None) -> None:
        try:
            if not exchange.status:
                exchange.asked()
            if exchange.span is not None:
                exchange.span.close(failure)
            if exchange.is_counted:
                if failure is not None or exchange.status >= FIRST_ERROR:
                    self._errors.count(exchange.status, failure if isinstance(failure, Exception) else None)
                self._slow.look(exchange, failure)
                objectives.count(exchange, failure)
        except Exception:  # noqa: BLE001 - the room's door
            self._report()

    def _open(self, scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Exchange, Inbound, request_span.Before]:
        self._lag.watch(asyncio.get_running_loop())
        headers: Headers = scope["headers"]
        inbound = read(headers)
        is_http = scope["type"] == "http"
        linked = self._untrusted_parent(inbound.context) if self._inbound_context == "link" else None
        timing = is_http and slo.current() is not None
        before = request_span.begin(linked, counting=is_http, timing=timing)
        if self._inbound_context != "trust":
            scope = {**scope, "headers": [header for header in headers if header[0] not in CONTEXT_HEADERS]}
            inbound = inbound._replace(context=[])
        is_excluded = self.excluded(scope["path"])
        theirs = None if inbound.correlation_id is None else _harmless(inbound.correlation_id)
        exchange = Exchange(
            scope,
            receive,
            send,
            correlation_id=correlation.accept(theirs),
            is_excluded=is_excluded,
            sizes=self._sizes if is_http and not is_excluded else None,
            headers=self._headers,
            report=self._report,
            repeated=self._repeated,
        )
        scope[SCOPE_KEY] = exchange
        return scope, exchange, inbound, before

    def _untrusted_parent(self, headers: Headers) -> SpanContext | None:
        extracted = propagate.extract(headers, context=otel_context.Context(), getter=GETTER)
        parent = trace.get_current_span(extracted).get_span_context()
        return parent if parent.is_valid else None


def _harmless(candidate: bytes) -> str | None:
    """Return a caller's id unless it holds what must be masked: it is repeated in every log line."""
    text = candidate.decode("latin-1")
    return text if len(text) <= correlation.MAX_LENGTH and redact_text(text) == text else None
