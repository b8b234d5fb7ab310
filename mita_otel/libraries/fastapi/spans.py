"""Our own path: the SERVER span of a request, and its measurements, with the content of FastAPI's own telemetry.

What changes from request to request is little, and all else is looked up: attributes by method, scheme, version and
host, series by route, status and error. FastAPI's own telemetry takes 70 us for a request that does nothing, most of
it to read the headers three times, to clean the same attributes twice and to sort them for each of its measurements;
here the same takes 20.

FastAPI tells the route, and failures, to an object of its own in the scope. It is given one, so that mounted
applications, validation errors and `get_telemetry_data` are what they are with its own telemetry, which it switches off
for a request that has such an object.
"""

# ruff: noqa: SLF001 - FastAPI has no public names for what its telemetry is made of; `instrument` looks whether they are there

import os
import sys
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextvars import Token
from dataclasses import fields
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import __version__
from fastapi.telemetry._api import (
    _REQUEST_TELEMETRY_KEY,
    TelemetryData,
    _exception_type,
    _normal_websocket_disconnect,
    _RequestTelemetry,
)
from fastapi.telemetry._asgi import _SCHEMA_URL, _SENSITIVE_QUERY_PARAMETERS, _exception, _legacy_otel
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel import correlation
from mita_otel.current_context import attach, detach
from mita_otel.libraries.fastapi.native import NATIVE, ExceptionEvents
from mita_otel.libraries.model import Telemetry
from mita_otel.metrics.batch import Batch
from mita_otel.metrics.bound import BoundHistogram, Handles, Series
from mita_otel.metrics.catalogue.http import (
    METHODS,
    SERVER_ACTIVE_REQUESTS,
    SERVER_REQUEST_BODY_SIZE,
    SERVER_REQUEST_DURATION,
    SERVER_RESPONSE_BODY_SIZE,
)
from mita_otel.traces import request
from mita_otel.traces.attributes import taken
from mita_otel.traces.positions import IS_VALID
from mita_otel.traces.propagation import reads_only_w3c
from mita_otel.traces.span import Span as OwnSpan
from mita_otel.traces.tracer import Tracer
from mita_otel.web.exchange import OUT_OF_TIME_KEY
from mita_otel.web.inbound import GETTER, Inbound
from mita_otel.web.server import Exchange, Scope

_new: Final = object.__new__

_GIVEN: Final = {_RequestTelemetry: {"span", "span_method", "data", "_exceptions"}, TelemetryData: set[str]()}
"""The fields that each object is made with here: of all others its class has the default. Made by their constructors,
the two take 1 us of a request."""

for _kind_of_data, _given in _GIVEN.items():
    if unknown := {field.name for field in fields(_kind_of_data) if not hasattr(_kind_of_data, field.name)} - _given:
        raise ImportError(f"{_kind_of_data.__name__} has {', '.join(sorted(unknown))}, which is not known here")

_VERDICT: Final = "_mita_ours"
"""Attribute of an application that holds its middleware, and whether our own path serves that."""

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SERVER_ERROR: Final = 500
_NO_PARENT: Final = Context()
_SAMPLED: Final = TraceFlags.SAMPLED


class _Measured(NamedTuple):
    """The series that a request is measured in: its duration, and that with the sizes of its bodies."""

    duration: BoundHistogram
    all: Batch


class _Active:
    """Requests under way, of one method and scheme.

    Added to, and read at the collection: of the SDK's counter, two additions a request take 14 us. The interpreter does
    not interrupt a thread within such an addition.
    """

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


class _Measurements(NamedTuple):
    """Where requests of one method, scheme and version are measured: a WebSocket is not.

    Attributes:
        active: how many are under way.
        ended: the series by route, status and type of error.
    """

    active: _Active
    ended: Handles[tuple[str | None, int, str | None], _Measured]


class Kind(NamedTuple):
    """What requests of one method, scheme, version and address have in common.

    Attributes:
        span_name: until the route is known.
        attributes: of the span.
        longest: characters of the longest text in them.
        measurements: None for a WebSocket.
    """

    span_name: str
    attributes: dict[str, str | int]
    longest: int
    measurements: _Measurements | None


Address: TypeAlias = tuple[str, int | None] | None
"""Host and port, or nothing known."""


@lru_cache(1024)
def _websocket(scheme: str, host: bytes | None, server: Address) -> Kind:
    said: dict[str, str | int] = {"url.scheme": scheme, "network.protocol.name": "websocket"}
    attributes = {**said, **_addressed(host, scheme, server)}
    return Kind("WS", attributes, _longest(attributes), None)


def _longest(attributes: Mapping[str, str | int]) -> int:
    return max(len(value) for value in attributes.values() if isinstance(value, str))


def _addressed(host: bytes | None, scheme: str, server: Address) -> Mapping[str, str | int]:
    """Return whom a request is addressed to: by its Host header or, without one, where it arrived."""
    if host is None:
        address, port = server or (None, None)
    else:
        try:
            url = urlsplit("//" + host.decode("latin-1"))
            address, port = url.hostname, url.port
        except ValueError:
            return {}
        if url.username is not None or url.path or url.query or url.fragment:
            return {}
        port = _PORTS.get(scheme) if port is None else port
    if address is None:
        return {}
    return {"server.address": address} if port is None else {"server.address": address, "server.port": port}


def _query(query_string: bytes) -> str:
    """Return a query as FastAPI shows it; what else must not be shown is masked as the span ends."""
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    return urlencode([(key, "REDACTED" if key in _SENSITIVE_QUERY_PARAMETERS else value) for key, value in pairs])


def _attributes(kind: Kind, scope: Scope, correlation_id: str, count: int, length: int) -> tuple[dict[str, Any], int]:
    """Return what a span begins with, and how many attributes there was no room for; see `attributes.taken`."""
    attributes: dict[str, Any] = kind.attributes.copy()
    is_whole = kind.longest <= length and len(correlation_id) <= length
    if kind.measurements is not None:
        attributes["url.path"] = path = scope["path"]
        is_whole = is_whole and len(path) <= length
        if query := scope.get("query_string"):
            attributes["url.query"] = shown = _query(query)
            is_whole = is_whole and len(shown) <= length
    attributes[correlation.ATTRIBUTE] = correlation_id
    # All are texts of ours or numbers: nothing is to be cleaned that is not too long.
    return (attributes, 0) if is_whole and len(attributes) <= count else taken(attributes, count, length)


class FastAPISpans:
    """Begins the spans of requests, and measures them.

    Args:
        telemetry: the providers.
    """

    __slots__ = (
        *("__weakref__", "_active", "_duration", "_is_w3c", "_logger", "_measurements", "_received", "_request"),
        *("_sent", "_textmap", "_tracer"),
    )

    def __init__(self, telemetry: Telemetry) -> None:
        self._tracer = telemetry.tracer_provider.get_tracer("fastapi", __version__, schema_url=_SCHEMA_URL)
        self._logger = ExceptionEvents(telemetry.logger_provider).get_logger("fastapi", __version__, _SCHEMA_URL)
        meter = telemetry.meter_provider.get_meter("fastapi", __version__, schema_url=_SCHEMA_URL)
        sizes = telemetry.meter_provider.get_meter("mita_otel.web.server")
        self._duration = SERVER_REQUEST_DURATION.create(meter)
        self._received = SERVER_REQUEST_BODY_SIZE.create(sizes)
        self._sent = SERVER_RESPONSE_BODY_SIZE.create(sizes)
        # Not by their attributes, at each request: to hash the pairs is 0.1 us each time.
        self._measurements: dict[Series, _Measurements] = {}
        self._active: dict[Series, _Active] = {}
        self._request: Final = lru_cache(1024)(self._kind)
        self._textmap: TextMapPropagator | None = None
        self._is_w3c = False
        SERVER_ACTIVE_REQUESTS.observe(meter, self._read_active)
        held = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget := held()) and forget())

    def begin(self, application: Any, scope: Scope, exchange: Exchange, inbound: Inbound) -> "_Serving | None":
        """Start the span of a request and make it current; None where FastAPI or contrib serves the application.

        Args:
            application: that is asked.
            scope: of the request.
            exchange: counts what it sends and receives.
            inbound: what its headers say.
        """
        verdict = application.__dict__.get(_VERDICT)
        if verdict is None or verdict[0] is not application.middleware_stack:
            verdict = _judged(application)
        if not verdict[1]:
            return None
        # All in one function, and with few calls: see `Tracer.start_span`.
        host = inbound.host
        server = None if host is not None or (server := scope.get("server")) is None else tuple(server)
        kind = (
            _websocket(scope.get("scheme", "ws"), host, server)
            if scope["type"] == "websocket"
            else self._request(
                scope.get("method", ""), scope.get("scheme", "http"), scope.get("http_version", ""), host, server
            )
        )
        textmap = propagate._HTTP_TEXT_FORMAT
        if textmap is not self._textmap:
            self._textmap, self._is_w3c = textmap, reads_only_w3c(textmap)
        if not self._is_w3c:
            parent = propagate.extract(scope["headers"], getter=GETTER)
        else:
            # Most requests have no caller that is traced: for those, 6 us less. The context that the request is served
            # in has no part in it.
            parent = propagate.extract(inbound.context, getter=GETTER) if inbound.context else _NO_PARENT
        tracer = self._tracer
        span: Any
        if type(tracer) is Tracer:
            # Attributes of a span that is not sampled would be made for nothing.
            given = (kind, scope, exchange.correlation_id, tracer.attribute_limit, tracer.text_limit)
            span = tracer.start_span(kind.span_name, parent, SpanKind.SERVER, deferred=_attributes, of=given)
        else:
            attributes, _ = _attributes(kind, scope, exchange.correlation_id, sys.maxsize, sys.maxsize)
            span = tracer.start_span(kind.span_name, parent, SpanKind.SERVER, attributes)
        made = type(span)
        is_recording = made is OwnSpan or (made is not NonRecordingSpan and span.is_recording())
        span_context = span._context if made is OwnSpan or made is NonRecordingSpan else span.get_span_context()
        served = exchange.served
        if not served.span_context[IS_VALID]:
            # The response's headers and the server's last words name it, also where no processor is told of it.
            served.span_context = span_context
            if is_recording:
                served.span = span
        # Of any other span, the processor adds it.
        if served.untrusted_parent is not None and made is OwnSpan:
            span.add_link(served.untrusted_parent, request.UNTRUSTED_LINK)
        serving = _new(_Serving)
        # What is not set here has a default, which is the class's.
        serving.span = span if is_recording else None
        serving.span_method = kind.span_name
        serving.logger = self._logger
        serving.data = _new(TelemetryData)
        root = application.root_path or scope.get("root_path", "")
        serving._mount_prefix = scope.get("app_root_path", root).rstrip("/")
        serving._exceptions = []
        scope["fastapi.telemetry"] = serving
        context = Context({**parent, _SPAN_KEY: span, _REQUEST_TELEMETRY_KEY: serving})
        serving._measurements = kind.measurements
        serving._exchange = exchange
        serving._span, serving._span_context, serving._context = span, span_context, context
        if kind.measurements is not None:
            kind.measurements.active.number += 1
        serving._token = attach(context)
        serving._is_over = False
        return serving

    def _kind(self, method: str, scheme: str, version: str, host: bytes | None, server: Address) -> Kind:
        is_known = method in METHODS
        said: dict[str, str] = {"url.scheme": scheme, "http.request.method": method if is_known else "_OTHER"}
        of_active: Series = tuple(said.items())
        if version:
            said["network.protocol.version"] = version
        measured: Series = tuple(said.items())
        # One step each: of two threads that see a first request both get the same.
        active = self._active.setdefault(of_active, _Active())
        ended = Handles(partial(self._bind, measured))
        measurements = self._measurements.setdefault(measured, _Measurements(active, ended))
        original = {} if is_known else {"http.request.method_original": method}
        attributes = {**said, **original, **_addressed(host, scheme, server)}
        return Kind(method if is_known else "HTTP", attributes, _longest(attributes), measurements)

    def _bind(self, series: Series, key: tuple[str | None, int, str | None]) -> _Measured:
        route, status, error = key
        known = {"http.route": route, "http.response.status_code": status or None, "error.type": error}
        attributes = {**dict(series), **{name: value for name, value in known.items() if value is not None}}
        of_sizes = {name: attributes[name] for name in SERVER_RESPONSE_BODY_SIZE.attribute_names if name in attributes}
        duration = BoundHistogram(self._duration, attributes)
        sizes = BoundHistogram(self._received, of_sizes), BoundHistogram(self._sent, of_sizes)
        return _Measured(duration, Batch((duration, *sizes)))

    def _measured(self) -> Iterator[_Measured]:
        for measurements in tuple(self._measurements.values()):
            yield from measurements.ended.kept()

    def _forget(self) -> None:
        for measured in self._measured():
            measured.all.forget()

    def _read_active(self, _: CallbackOptions) -> Iterable[Observation]:
        # The SDK asks before it collects what was added: so nothing that was measured waits for the next collection.
        for measured in self._measured():
            measured.all.fold()
        return [Observation(active.number, dict(series)) for series, active in tuple(self._active.items())]


class _Serving(_RequestTelemetry):
    """One request or WebSocket under way: its span is current until `close`. Made by `FastAPISpans.begin`.

    It is what FastAPI tells of the request, as an object more for that would be 0.5 us of each.
    """

    __slots__ = ("_context", "_exchange", "_is_over", "_measurements", "_span", "_span_context", "_token")

    _context: Context
    _exchange: Exchange
    _is_over: bool
    _measurements: _Measurements | None
    _span: Span
    _span_context: SpanContext
    _token: Token[Context]

    def end(self, error: BaseException | None = None) -> None:
        """End the span and record what was measured; a second time changes nothing.

        Args:
            error: why there is no complete answer; None if there is one.
        """
        if self._is_over:
            return
        self._is_over = True
        exchange = self._exchange
        elapsed = (exchange.ended or time.perf_counter()) - exchange.opened
        status = exchange.status
        measurements = self._measurements
        went_well = error is None and 0 < status < _SERVER_ERROR and measurements is not None
        error_type = None if went_well else self._error_type(error)
        if error_type is not None:
            request.erred(error_type)
        is_recording = self.span is not None
        if is_recording:
            if status:
                self._span.set_attribute("http.response.status_code", status)
            if error_type is not None:
                self._span.set_attribute("error.type", error_type)
                # No description: an exception's message may hold anything.
                self._span.set_status(StatusCode.ERROR)
        if measurements is not None:
            key = (self.route, status, error_type)
            measured = measurements.ended.known(key) or measurements.ended.of(key)
            context, span_context = self._context, self._span_context
            # The flags, whose property is a call. As `bound.sampled`, of a span that is known.
            exemplar = span_context if span_context[3] & _SAMPLED else None
            if error is None and not exchange.by_path:
                measured.all.record((elapsed, exchange.received, exchange.sent), context, exemplar)
            else:
                measured.duration.record_of(elapsed, context, exemplar)
            measurements.active.number -= 1
        if is_recording:
            self._span.end()

    def close(self, failure: BaseException | None) -> None:
        """Take the span out of the context, and end it if no answer has."""
        exchange = self._exchange
        try:
            if failure is not None:
                _exception(scope=exchange.scope, exc=failure)
                self.end(failure)
            elif not self._is_over:
                self.end(self._unanswered())
        finally:
            # What is done after the span's end asks for the whole template, which nothing else of the request has.
            exchange.route = self.route
            self.data = None
            self._exceptions.clear()
            exchange.scope.pop("fastapi.telemetry", None)
            detach(self._token)
            # Work in the background may keep the request's context, and so this.
            del self._exchange, self._context

    def _error_type(self, error: BaseException | None) -> str | None:
        if self._measurements is None:
            return None if error is None or _normal_websocket_disconnect(error) else _exception_type(error)
        if OUT_OF_TIME_KEY in self._exchange.scope:
            return "timeout"
        failures = self._exceptions
        failure = error or (failures[-1] if failures else None)
        return str(self._exchange.status or "incomplete_response") if failure is None else _exception_type(failure)

    def _unanswered(self) -> BaseException | None:
        """Return why a request has no complete answer though nothing failed."""
        if self._measurements is None:
            return None
        return ConnectionError() if self._exchange.disconnected else RuntimeError()


def _judged(application: Any) -> tuple[Any, bool]:
    """Return an application's middleware, and whether our own path serves that.

    It does where no one told FastAPI how, and contrib is not in it.
    """
    stack = application.middleware_stack
    if stack is None:
        stack = application.middleware_stack = application.build_middleware_stack()
    verdict = stack, not application.__dict__.get(NATIVE, False) and not _legacy_otel(stack)
    application.__dict__[_VERDICT] = verdict
    return verdict
