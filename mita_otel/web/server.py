"""The outermost layer around an application: correlation id, inbound context, response headers, body sizes."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import MeterProvider
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanContext

from mita_otel import correlation
from mita_otel.metrics.catalogue.http import METHODS, SERVER_REQUEST_BODY_SIZE, SERVER_RESPONSE_BODY_SIZE
from mita_otel.metrics.event_loop import EventLoopLag
from mita_otel.redaction import redact_text
from mita_otel.settings import Settings
from mita_otel.traces import request as request_span
from mita_otel.traces.propagation import server_timing, traceresponse
from mita_otel.web.administration import Administration, Examine
from mita_otel.web.errors import Errors
from mita_otel.web.paths import excluding
from mita_otel.web.repeated import RepeatedStatements

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY: Final = "mita.request"
"""Marks a scope that is being served already: a mounted application is part of its parent's request."""

_CONTEXT_HEADERS: Final = frozenset({b"traceparent", b"tracestate", b"baggage"})
_CORRELATION_HEADER: Final = correlation.HEADER.encode()
_logger: Final = logging.getLogger("mita_otel.web")
_serving_task: ContextVar[asyncio.Task[Any] | None] = ContextVar("mita_serving_task", default=None)


def _log_fault() -> None:
    _logger.warning("a request is served without some of its telemetry", exc_info=sys.exception())


class _Headers(Getter[list[tuple[bytes, bytes]]]):
    """Reads ASGI headers, every occurrence of a name."""

    def get(self, carrier: list[tuple[bytes, bytes]], key: str) -> list[str] | None:
        name = key.lower().encode()
        return [value.decode("latin-1") for header, value in carrier if header == name] or None

    def keys(self, carrier: list[tuple[bytes, bytes]]) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


_HEADERS: Final = _Headers()


class BodySizes:
    """The histograms of request and response body sizes, in bytes as the application saw them."""

    __slots__ = ("_request", "_response")

    def __init__(self, provider: MeterProvider) -> None:
        meter = provider.get_meter("mita_otel.web.server")
        self._request = SERVER_REQUEST_BODY_SIZE.create(meter)
        self._response = SERVER_RESPONSE_BODY_SIZE.create(meter)

    def record(self, exchange: "Exchange") -> None:
        """Record both sizes of one finished exchange."""
        attributes = exchange.attributes()
        self._request.record(exchange.received, attributes)
        self._response.record(exchange.sent, attributes)


class Exchange:
    """What is counted and added while one request is served.

    Attributes:
        route: the whole template, where whoever instruments the application has found it.
    """

    __slots__ = (
        *("_headers", "_repeated", "_report", "_scope", "_served", "_sizes"),
        *("correlation_id", "received", "route", "sent", "status"),
    )

    def __init__(
        self,
        scope: Scope,
        correlation_id: str,
        sizes: BodySizes | None,
        headers: "ResponseHeaders",
        *,
        report: Callable[[], None],
        repeated: RepeatedStatements,
    ) -> None:
        self._served = request_span.current()
        self._repeated = repeated
        self._report = report
        self._scope = scope
        self._sizes = sizes
        self._headers = headers
        self.correlation_id = correlation_id
        self.route: str | None = None
        self.received = 0
        self.sent = 0
        self.status = 0

    @property
    def is_counted(self) -> bool:
        """Whether the request appears in metrics."""
        return self._sizes is not None

    def attributes(self) -> dict[str, str | int]:
        """Return the metric attributes: all from closed sets."""
        attributes: dict[str, str | int] = {
            "http.request.method": known_method(self._scope) or "_OTHER",
            "http.response.status_code": self.status,
            "url.scheme": self._scope.get("scheme", "http"),
        }
        route = self._template()
        if route is not None:
            attributes["http.route"] = route
        return attributes

    def asked(self) -> None:
        """Look at what the request has asked databases for: its answer begins, or it ends without one."""
        if self._served is not None and self._served.statements is not None:
            self._repeated.look(self._served, self._template())

    def _template(self) -> str | None:
        return self.route or _route(self._scope)

    def receiving(self, receive: Receive) -> Receive:
        """Wrap the server's receive so that body bytes are counted."""

        async def counted() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self.received += len(message.get("body", b""))
            return message

        return counted

    def sending(self, send: Send) -> Send:
        """Wrap the server's send so that headers are added and body bytes counted."""

        async def counted(message: Message) -> None:
            try:
                message = self._sent(message)
            except Exception:  # noqa: BLE001 - the room's door
                self._report()
            await send(message)

        return counted

    def _sent(self, message: Message) -> Message:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            self.asked()
            request_span.remember(trace.get_current_span().get_span_context())
            added = self._headers.of(request_span.span_context(), self.correlation_id)
            return {**message, "headers": [*message.get("headers", ()), *added]}
        if kind == "http.response.body":
            self.sent += len(message.get("body", b""))
            if self._sizes is not None and not message.get("more_body", False):
                self._sizes.record(self)
        return message


class ResponseHeaders:
    """Tells the client the correlation id and, if asked to, the trace id."""

    __slots__ = ("_server_timing", "_traceresponse")

    def __init__(self, trace_response: str) -> None:
        self._traceresponse = trace_response in {"traceresponse", "both"}
        self._server_timing = trace_response in {"server-timing", "both"}

    def of(self, span_context: SpanContext, correlation_id: str) -> list[tuple[bytes, bytes]]:
        """Return the headers to add to a response."""
        headers = [(_CORRELATION_HEADER, correlation_id.encode())]
        if span_context.is_valid:
            if self._traceresponse:
                headers.append((b"traceresponse", traceresponse(span_context).encode()))
            if self._server_timing:
                headers.append((b"server-timing", server_timing(span_context).encode()))
        return headers


class ServerLayer:
    """Serves one request with everything that surrounds it; faults of ours never reach the application.

    Args:
        settings: what it obeys.
        meter_provider: for body sizes and the event loop's lag.
        examine: examines this process; offered to whoever has the settings' token, if they have one.
        report: counts and logs the fault being handled.
    """

    def __init__(
        self,
        settings: Settings,
        meter_provider: MeterProvider,
        *,
        examine: Examine | None = None,
        report: Callable[[], None] = _log_fault,
    ) -> None:
        self.excluded = excluding(settings.excluded_paths)
        self._inbound_context = settings.inbound_context
        self._headers = ResponseHeaders(settings.trace_response)
        self._sizes = BodySizes(meter_provider)
        self._errors = Errors(meter_provider)
        self._repeated = RepeatedStatements(meter_provider, settings.n_plus_one)
        self._lag = EventLoopLag(meter_provider)
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
            scope, exchange, before = self._open(scope)
        except Exception:  # noqa: BLE001 - the room's door
            self._report()
            await app(scope, receive, send)
            return
        task = asyncio.current_task()
        nested = _serving_task.get() is task
        _serving_task.set(task)
        token = correlation.bind(exchange.correlation_id)
        failure: Exception | None = None
        try:
            await self._serve(app, scope, exchange.receiving(receive), exchange.sending(send))
        except Exception as error:
            failure = error
            raise
        finally:
            self._close(exchange, failure)
            # Only a request within a request, in one task, gives the id back: else the server's own last words about
            # the request are still to come. A task may have inherited the id of the request before.
            if nested:
                correlation.unbind(token)
                request_span.restore(before)

    async def _serve(self, app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.excluded(scope["path"]):
            await app(scope, receive, send)
            return
        # A health check's query must not become a root trace of its own.
        with suppress_instrumentation():
            await app(scope, receive, send)

    def _close(self, exchange: Exchange, failure: Exception | None) -> None:
        try:
            exchange.asked()
            if exchange.is_counted:
                self._errors.count(exchange.status, failure)
        except Exception:  # noqa: BLE001 - the room's door
            self._report()

    def _open(self, scope: Scope) -> tuple[Scope, Exchange, request_span.Before]:
        self._lag.watch(asyncio.get_running_loop())
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        candidate = next((value for name, value in headers if name == _CORRELATION_HEADER), None)
        accepted = correlation.accept(_harmless(candidate))
        before = request_span.begin(self._untrusted_parent(headers), counting=scope["type"] == "http")
        if self._inbound_context != "trust":
            scope = {**scope, "headers": [header for header in headers if header[0] not in _CONTEXT_HEADERS]}
        sizes = None if scope["type"] != "http" or self.excluded(scope["path"]) else self._sizes
        exchange = Exchange(scope, accepted, sizes, self._headers, report=self._report, repeated=self._repeated)
        scope[SCOPE_KEY] = exchange
        return scope, exchange, before

    def _untrusted_parent(self, headers: list[tuple[bytes, bytes]]) -> SpanContext | None:
        if self._inbound_context != "link":
            return None
        extracted = propagate.extract(headers, context=otel_context.Context(), getter=_HEADERS)
        parent = trace.get_current_span(extracted).get_span_context()
        return parent if parent.is_valid else None


def _harmless(candidate: bytes | None) -> str | None:
    """Return a caller's id unless it holds what must be masked: it is repeated in every log line."""
    text = None if candidate is None else candidate.decode("latin-1")
    return text if text is None or (len(text) <= correlation.MAX_LENGTH and redact_text(text) == text) else None


def known_method(scope: Scope) -> str | None:
    """Return the method of a request if it is one of a closed set; WebSockets have none."""
    method = scope.get("method")
    return method if method in METHODS else None


def _route(scope: Scope) -> str | None:
    """Return the full route template, mounts included."""
    native = getattr(scope.get("fastapi.telemetry"), "route", None)
    if native is not None:
        return str(native)
    path = getattr(scope.get("route"), "path", None)
    return None if path is None else str(path)
