"""One request while it is served: what passes between the server and the application, counted and added to."""
# ruff: noqa: SLF001, PLR0917 - an exchange and what makes it are one thing; arguments by name are 0.2 us of a request

import time
from collections.abc import Awaitable, Callable
from contextvars import Token
from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext, TraceFlags

from mita_otel.metrics.bound import histograms
from mita_otel.metrics.catalogue.http import METHODS, SERVER_REQUEST_BODY_SIZE, SERVER_RESPONSE_BODY_SIZE
from mita_otel.traces import request as request_span
from mita_otel.traces.positions import IS_VALID
from mita_otel.traces.propagation import traceresponse
from mita_otel.traces.request import Served
from mita_otel.web.asgi import Message, Receive, Scope, Send
from mita_otel.web.inbound import CORRELATION_HEADER, Headers
from mita_otel.web.repeated import RepeatedStatements

if TYPE_CHECKING:
    from mita_otel.slo import Objectives

SCOPE_KEY: Final = "mita.request"
"""Marks a scope that is being served already: a mounted application is part of its parent's request."""

OUT_OF_TIME_KEY: Final = "mita.out_of_time"
"""Is in the scope of a request whose time was over before it was answered."""

_new: Final = object.__new__
_SAMPLED: Final = TraceFlags.SAMPLED
_NONE: Final[Headers] = []


class Span(Protocol):
    """The SERVER span of a request that our own path serves, and its duration."""

    def end(self) -> None:
        """End the span and record what was measured: the answer is complete."""

    def close(self, failure: BaseException | None) -> None:
        """Take the span out of the context, and end it if no answer has.

        Args:
            failure: what left the application.
        """


class BodySizes:
    """The histograms of request and response body sizes, in bytes as the application saw them."""

    __slots__ = ("_request", "_response")

    def __init__(self, provider: MeterProvider) -> None:
        meter = provider.get_meter("mita_otel.web.server")
        self._request = histograms(SERVER_REQUEST_BODY_SIZE.create(meter))
        self._response = histograms(SERVER_RESPONSE_BODY_SIZE.create(meter))

    def record(self, exchange: "Exchange") -> None:
        """Record both sizes of one finished exchange."""
        series = tuple(exchange.attributes().items())
        self._request.of(series).record(exchange.received)
        self._response.of(series).record(exchange.sent)


class ResponseHeaders:
    """Tells the client the correlation id and, if asked to, the trace id.

    `Server-Timing` is for browsers, which link to the trace: of one that is not sampled there is nothing to be seen.
    `traceresponse` names that, too, as log lines do.

    Args:
        trace_response: as `MITA_TRACE_RESPONSE` says.
    """

    __slots__ = ("_server_timing", "_traceresponse")

    def __init__(self, trace_response: str) -> None:
        self._traceresponse = trace_response in {"traceresponse", "both"}
        self._server_timing = trace_response in {"server-timing", "both"}

    def of(self, span_context: SpanContext, correlation_id: str) -> Headers:
        """Return the headers to add to a response."""
        headers = [(CORRELATION_HEADER, correlation_id.encode())]
        # The flags by their position, as the property is a call.
        is_timed = self._server_timing and span_context[3] & _SAMPLED
        if span_context[IS_VALID] and (self._traceresponse or is_timed):
            told = traceresponse(span_context).encode()
            if self._traceresponse:
                headers.append((b"traceresponse", told))
            if is_timed:
                headers.append((b"server-timing", b'traceparent;desc="%b"' % told))
        return headers


class Exchange:
    """What is counted and added while one request is served.

    Its `receive` and `send` are the only wrappers around the server's: what has to be done at a message, whoever wants
    it, is done there.

    It is made by `opened`, without a constructor: 0.5 us less for each request.

    Attributes:
        answered: headers of the answer as the application gave them.
        bound: what `correlation.bind` put away.
        by_path: whether the server was told to send a file, whose size is not known here.
        correlation_id: of the request.
        disconnected: whether the client has gone.
        ended: when its answer was complete; 0 until then.
        is_counted: whether the request appears in metrics.
        is_excluded: whether no one is to be told of the request.
        is_nested: whether another request is served in the same context, within which this one is.
        objectives: that it is counted for, if the process has any.
        opened: when it came, in the seconds of `time.perf_counter`.
        received: bytes of the request's body.
        route: the whole template, where whoever instruments the application has found it.
        scope: what the server said of the request.
        sent: bytes of the response's body.
        served: the request, as all that works for it sees it.
        span: the request's, where our own path serves it.
        status: of the response, 0 while there is none.
    """

    __slots__ = (
        *("_headers", "_receive", "_repeated", "_report", "_send", "_sizes", "_trailers"),
        *("answered", "bound", "by_path", "correlation_id", "disconnected", "ended", "is_counted", "status"),
        *("is_excluded", "is_nested", "objectives", "opened", "received", "route", "scope", "sent", "served", "span"),
    )

    _headers: "ResponseHeaders"
    _receive: Receive
    _repeated: RepeatedStatements
    _report: Callable[[], None]
    _send: Send
    _sizes: BodySizes | None
    _trailers: bool
    answered: Headers
    bound: Token[str | None]
    by_path: bool
    correlation_id: str
    disconnected: bool
    ended: float
    is_counted: bool
    is_excluded: bool
    is_nested: bool
    objectives: "Objectives | None"
    opened: float
    received: int
    route: str | None
    scope: Scope
    sent: int
    served: Served
    span: Span | None
    status: int

    @property
    def user(self) -> str | None:
        """The id of who is known to send it."""
        return self.served.user

    def attributes(self) -> dict[str, str | int]:
        """Return the metric attributes: all from closed sets."""
        attributes: dict[str, str | int] = {
            "http.request.method": known_method(self.scope) or "_OTHER",
            "http.response.status_code": self.status,
            "url.scheme": self.scope.get("scheme", "http"),
        }
        route = self.template()
        if route is not None:
            attributes["http.route"] = route
        return attributes

    def asked(self) -> None:
        """Look at what the request has asked databases for: its answer begins, or it ends without one."""
        served = self.served
        if served.statements:
            # The route is looked for only where there is something to tell of it.
            self._repeated.look(served, self.template())
        elif served.statements is not None:
            served.statements = served.span = None

    def template(self) -> str | None:
        """Return the route's template, mounts included; None where no route was found."""
        return self.route or _route(self.scope)

    async def receive(self) -> Message:
        """Receive from the server, and count the body's bytes."""
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
        elif message["type"] == "http.disconnect":
            self.disconnected = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Send to the server: headers are added, the body's bytes counted; with the last message the span ends."""
        try:
            kind = message["type"]
            if kind == "http.response.body":
                self.sent += len(message.get("body", b""))
                is_last = not message.get("more_body", False)
                if is_last and self.span is None and self._sizes is not None:
                    self._sizes.record(self)
                is_last = is_last and not self._trailers
            elif kind == "http.response.start":
                message, is_last = self._begun(message), False
            elif kind == "http.response.trailers":
                is_last = not message.get("more_trailers", False)
            else:
                is_last = kind == "http.response.pathsend"
                self.by_path = self.by_path or is_last
        except Exception:  # noqa: BLE001 - the room's door
            self._report()
            return self._send(message)
        # A coroutine of our own around the server's only where something is left to do.
        return self._send_last(message) if is_last else self._send(message)

    async def _send_last(self, message: Message) -> None:
        await self._send(message)
        self.ended = time.perf_counter()
        if self.span is not None:
            try:
                self.span.end()
            except Exception:  # noqa: BLE001 - the room's door
                self._report()

    def _begun(self, message: Message) -> Message:
        self.status = message["status"]
        self._trailers = message.get("trailers", False)
        served = self.served
        if served.statements:
            self.asked()
        else:  # as `asked`, of which most requests need no more
            served.statements = served.span = None
        if self.span is None:
            request_span.remember(trace.get_current_span().get_span_context())
            # FastAPI's own telemetry knows the whole template while it serves, and nobody does after it.
            self.route = self.template()
        self.answered = answered = message.get("headers", _NONE)
        return {**message, "headers": [*answered, *self._headers.of(served.span_context, self.correlation_id)]}


def opened(
    scope: Scope,
    receive: Receive,
    send: Send,
    served: Served,
    sizes: BodySizes | None,
    headers: ResponseHeaders,
    report: Callable[[], None],
    repeated: RepeatedStatements,
) -> Exchange:
    """Return the exchange of a request that begins now.

    Args:
        scope: of the request; the exchange is put into it.
        receive: the server's.
        send: the server's.
        served: the request.
        sizes: of the bodies; None if the request appears in no metrics.
        headers: of the answer.
        report: counts and logs the fault being handled.
        repeated: looks for statements that ran over and over.
    """
    exchange = _new(Exchange)
    exchange._headers = headers
    exchange._receive = receive
    exchange._repeated = repeated
    exchange._report = report
    exchange._send = send
    exchange.served = served
    exchange._sizes = sizes
    exchange._trailers = exchange.by_path = exchange.disconnected = False
    exchange.answered = _NONE
    exchange.ended = 0.0
    exchange.is_counted = sizes is not None
    exchange.opened = time.perf_counter()
    exchange.received = exchange.sent = exchange.status = 0
    exchange.route = exchange.span = None
    exchange.scope = scope
    served.route = exchange.template
    scope[SCOPE_KEY] = exchange
    return exchange


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
