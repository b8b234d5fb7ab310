"""One request while it is served: what passes between the server and the application, counted and added to."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanContext

from mita_otel.metrics.bound import histograms
from mita_otel.metrics.catalogue.http import METHODS, SERVER_REQUEST_BODY_SIZE, SERVER_RESPONSE_BODY_SIZE
from mita_otel.traces import request as request_span
from mita_otel.traces.propagation import traceresponse
from mita_otel.web.asgi import Message, Receive, Scope, Send
from mita_otel.web.inbound import CORRELATION_HEADER, Headers
from mita_otel.web.repeated import RepeatedStatements

SCOPE_KEY: Final = "mita.request"
"""Marks a scope that is being served already: a mounted application is part of its parent's request."""

OUT_OF_TIME_KEY: Final = "mita.out_of_time"
"""Is in the scope of a request whose time was over before it was answered."""


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
    """Tells the client the correlation id and, if asked to, the trace id."""

    __slots__ = ("_server_timing", "_traceresponse")

    def __init__(self, trace_response: str) -> None:
        self._traceresponse = trace_response in {"traceresponse", "both"}
        self._server_timing = trace_response in {"server-timing", "both"}

    def of(self, span_context: SpanContext, correlation_id: str) -> Headers:
        """Return the headers to add to a response."""
        headers = [(CORRELATION_HEADER, correlation_id.encode())]
        # Whether it is valid, by its position: the property is a call.
        if span_context[5] and (self._traceresponse or self._server_timing):
            told = traceresponse(span_context).encode()
            if self._traceresponse:
                headers.append((b"traceresponse", told))
            if self._server_timing:
                # As `propagation.server_timing`, without a second formatting of the ids.
                headers.append((b"server-timing", b'traceparent;desc="%b"' % told))
        return headers


class Exchange:
    """What is counted and added while one request is served.

    Its `receive` and `send` are the only wrappers around the server's: what has to be done at a message, whoever wants
    it, is done there.

    Attributes:
        is_counted: whether the request appears in metrics.
        is_excluded: whether no one is to be told of the request.
        route: the whole template, where whoever instruments the application has found it.
        received: bytes of the request's body.
        sent: bytes of the response's body.
        status: of the response, 0 while there is none.
        span: the request's, where our own path serves it.
        disconnected: whether the client has gone.
        by_path: whether the server was told to send a file, whose size is not known here.
        opened: when it came, in the seconds of `time.perf_counter`.
        ended: when its answer was complete; 0 until then.
        answered: headers of the answer as the application gave them.
    """

    __slots__ = (
        *("_headers", "_receive", "_repeated", "_report", "_scope", "_send", "_served", "_sizes", "_trailers"),
        *(
            "answered",
            "by_path",
            "correlation_id",
            "disconnected",
            "ended",
            "is_counted",
            "is_excluded",
            "opened",
            "received",
            "route",
            "sent",
            "span",
            "status",
        ),
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        correlation_id: str,
        is_excluded: bool,
        sizes: BodySizes | None,
        headers: ResponseHeaders,
        report: Callable[[], None],
        repeated: RepeatedStatements,
    ) -> None:
        self._served = served = request_span.current()
        if served is not None:
            served.route = self.template
        self._repeated = repeated
        self._report = report
        self._scope = scope
        self._receive = receive
        self._send = send
        self._sizes = sizes
        self._headers = headers
        self._trailers = False
        self.opened = time.perf_counter()
        self.ended = 0.0
        self.answered: Headers = []
        self.correlation_id = correlation_id
        self.is_counted = sizes is not None
        self.is_excluded = is_excluded
        self.disconnected = self.by_path = False
        self.route: str | None = None
        self.received = 0
        self.sent = 0
        self.span: Span | None = None
        self.status = 0

    @property
    def scope(self) -> Scope:
        """What the server said of the request."""
        return self._scope

    @property
    def user(self) -> str | None:
        """The id of who is known to send it."""
        return None if self._served is None else self._served.user

    def attributes(self) -> dict[str, str | int]:
        """Return the metric attributes: all from closed sets."""
        attributes: dict[str, str | int] = {
            "http.request.method": known_method(self._scope) or "_OTHER",
            "http.response.status_code": self.status,
            "url.scheme": self._scope.get("scheme", "http"),
        }
        route = self.template()
        if route is not None:
            attributes["http.route"] = route
        return attributes

    def asked(self) -> None:
        """Look at what the request has asked databases for: its answer begins, or it ends without one."""
        served = self._served
        if served is not None and served.statements is not None:
            # The route is looked for only where there is something to tell of it.
            self._repeated.look(served, self.template() if served.statements else None)

    def template(self) -> str | None:
        """Return the route's template, mounts included; None where no route was found."""
        return self.route or _route(self._scope)

    def let_go(self) -> None:
        """Forget what holds this, now that the request is served: else the garbage collector would have to come."""
        self.span = None
        if self._served is not None:
            self._served.route = None

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
            message, is_last = self._sent(message)
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

    def _sent(self, message: Message) -> tuple[Message, bool]:
        """Return the message to send, and whether it is the response's last."""
        kind = message["type"]
        if kind == "http.response.body":
            self.sent += len(message.get("body", b""))
            if message.get("more_body", False):
                return message, False
            if self._sizes is not None and self.span is None:
                self._sizes.record(self)
            return message, not self._trailers
        if kind == "http.response.start":
            return self._begun(message), False
        if kind == "http.response.trailers":
            return message, not message.get("more_trailers", False)
        if kind == "http.response.pathsend":
            self.by_path = True
            return message, True
        return message, False

    def _begun(self, message: Message) -> Message:
        self.status = message["status"]
        self._trailers = message.get("trailers", False)
        self.asked()
        if self.span is None:
            request_span.remember(trace.get_current_span().get_span_context())
            # FastAPI's own telemetry knows the whole template while it serves, and nobody does after it.
            self.route = self.template()
        added = self._headers.of(request_span.span_context(), self.correlation_id)
        self.answered = message.get("headers", [])
        return {**message, "headers": [*self.answered, *added]}


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
