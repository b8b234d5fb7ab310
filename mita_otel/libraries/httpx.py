"""httpx, sync and async: one span a request sent, the trace and the correlation id passed on.

Ours instead of contrib's: contrib calls its hooks only for spans that record, so the correlation id would be lost with
every span that is not sampled, and it puts the URL's credentials into the span before a hook can mask them.

The network transports are wrapped: a redirect that is followed is a request of its own, as the conventions ask, and
transports that send nothing (mocks, in-process applications) are left alone. Span and duration end when the response's
headers are there: the application may never read the body. Source: semantic conventions, "HTTP client span duration".
"""

import time
from collections.abc import Callable, Coroutine
from functools import lru_cache, wraps
from typing import Any, Final

import httpx
from opentelemetry import propagate
from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY as _SUPPRESSED_HTTP
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY as _SUPPRESSED
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import _SUPPRESS_INSTRUMENTATION_KEY_PLAIN as _SUPPRESSED_PLAIN
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TraceFlags, Tracer
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel import correlation
from mita_otel.current_context import attach, detach, get_current
from mita_otel.errors import is_timeout
from mita_otel.libraries.database import SCHEMA_URL, VERSION, Attributes, type_name
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.metrics import timeouts
from mita_otel.metrics.bound import Series, histograms
from mita_otel.metrics.catalogue.http import CLIENT_REQUEST_DURATION, METHODS
from mita_otel.redaction import redact_url
from mita_otel.retries import attempts, deadline
from mita_otel.traces import request as served
from mita_otel.traces.attributes import ConstantAttributes
from mita_otel.traces.positions import FLAGS
from mita_otel.traces.propagation import reads_only_w3c, write, writes_trace_context

_PORTS: Final = {"http": 80, "https": 443}
_BAGGAGE: Final = "baggage"
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_SAMPLED: Final = TraceFlags.SAMPLED


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every request that leaves through a network transport."""
    outbound = _Outbound(telemetry, Faults("httpx"))
    patches = Patches()
    patches.replace(httpx.HTTPTransport, "handle_request", _sync(outbound))
    patches.replace(httpx.AsyncHTTPTransport, "handle_async_request", _async(outbound))
    return Instrumented("httpx", httpx.__version__, "ours", patches.undo)


@lru_cache(1024)
def _origin(method: str, host: str, port: int | None, scheme: str) -> tuple[str, Attributes, Series]:
    """Return a span's name, its attributes and those of the duration: what one origin's requests have in common."""
    known = method in METHODS
    metric: dict[str, str | int] = {
        "http.request.method": method if known else "_OTHER",
        "server.address": host,
        "server.port": port or _PORTS.get(scheme, 0),
    }
    original = {} if known else {"http.request.method_original": method}
    return (method if known else "HTTP"), ConstantAttributes({**metric, **original}), tuple(metric.items())


@lru_cache(256)
def _outcome(status: int, version: bytes | None) -> tuple[Attributes, Series]:
    """Return what a response adds to the attributes of the span, and the same for the duration."""
    attributes: dict[str, str | int] = {"http.response.status_code": status}
    if version is not None:
        attributes["network.protocol.version"] = version.decode("ascii", "replace").removeprefix("HTTP/")
    if status >= httpx.codes.BAD_REQUEST:
        attributes["error.type"] = str(status)
    return ConstantAttributes(attributes), tuple(attributes.items())


class _Outbound:
    """Begins the telemetry of requests."""

    __slots__ = ("_baggage_hosts", "begin", "durations", "faults", "timeouts", "tracer")

    def __init__(self, telemetry: Telemetry, faults: Faults) -> None:
        scope = "mita_otel.libraries.httpx"
        self.tracer: Tracer = telemetry.tracer_provider.get_tracer(scope, VERSION, SCHEMA_URL)
        meter = telemetry.meter_provider.get_meter(scope, VERSION, SCHEMA_URL)
        self.durations = histograms(CLIENT_REQUEST_DURATION.create(meter))
        self.timeouts = timeouts.counter(telemetry.meter_provider)
        self.faults = faults
        self._baggage_hosts = frozenset(telemetry.settings.baggage_hosts)
        self.begin: Callable[[httpx.Request], _Exchange | None] = faults.guard(self._begin)

    def _begin(self, request: httpx.Request) -> "_Exchange | None":
        carrier: dict[str, str] = {}
        correlation_id = correlation.current()
        if correlation_id is not None and correlation.HEADER not in request.headers:
            carrier[correlation.HEADER] = correlation_id
        context = get_current()
        if context.get(_SUPPRESSED) or context.get(_SUPPRESSED_HTTP) or context.get(_SUPPRESSED_PLAIN):
            return _Exchange(request, carrier, None) if carrier else None
        url = request.url
        host = url.host
        name, attributes, series = _origin(request.method, host, url.port, url.scheme)
        span = self.tracer.start_span(name, context, SpanKind.CLIENT, attributes)
        if span.is_recording():
            if resent := attempts.number():
                span.set_attribute("http.request.resend_count", resent)
            span.set_attribute("url.full", redact_url(str(url)) if url.userinfo or url.query else str(url))
        context = Context({**context, _SPAN_KEY: span})
        self._inject(carrier, span, context, wants_baggage=host in self._baggage_hosts)
        return _Exchange(request, carrier, _Measured(self, span, context, series, host))

    @staticmethod
    def _inject(carrier: dict[str, str], span: Span, context: Context, *, wants_baggage: bool) -> None:
        textmap = propagate.get_global_textmap()
        if not reads_only_w3c(textmap) or wants_baggage:
            textmap.inject(carrier, context)
            if not wants_baggage:
                carrier.pop(_BAGGAGE, None)
        elif writes_trace_context(textmap):
            write(span.get_span_context(), carrier)


class _Measured:
    """The span of a request under way."""

    __slots__ = ("_context", "_host", "_outbound", "_series", "_span", "_started", "_token")

    def __init__(self, outbound: _Outbound, span: Span, context: Context, series: Series, host: str) -> None:
        self._host = host
        self._outbound = outbound
        self._span = span
        self._context = context
        self._series = series
        self._token = attach(context)
        self._started = time.perf_counter()

    def end(self, response: httpx.Response | None, error: BaseException | None) -> None:
        elapsed = time.perf_counter() - self._started
        detach(self._token)
        try:
            attributes, outcome = _ended(response, error)
            if self._span.is_recording():
                self._span.set_attributes(attributes)
                if "error.type" in attributes:
                    # No description: an exception's message may quote the URL.
                    self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()
            if error is not None and (is_timeout(error) or deadline.is_interrupted(error)):
                self._outbound.timeouts.add(scope="external")
            series, own = self._series + outcome, self._span.get_span_context()
            handle = self._outbound.durations.known(series) or self._outbound.durations.of(series)
            # It is the span of the context, so it need not be looked for in there.
            handle.record_of(elapsed, self._context, own if own[FLAGS] & _SAMPLED else None)
            served.waited(self._host, elapsed)
            if error is not None or (response is not None and _has_failed(response.status_code)):
                served.failed(self._host)
        except Exception:  # noqa: BLE001 - telemetry never breaks the application
            self._outbound.faults.report()


def _has_failed(status: int) -> bool:
    """Say whether whoever was asked did not do its work; what else is no success may be an answer."""
    return status >= _SERVER_ERROR or status == _TOO_MANY


def _ended(response: httpx.Response | None, error: BaseException | None) -> tuple[Attributes, Series]:
    if response is not None:
        version = response.extensions.get("http_version")
        return _outcome(response.status_code, version if isinstance(version, bytes) else None)
    if error is None:
        return {}, ()
    # A request that is ended by its deadline is cancelled, which says less.
    kind = "timeout" if deadline.is_late(error) else type_name(error)
    return {"error.type": kind}, (("error.type", kind),)


class _Exchange:
    """A request whose headers are ours while it is sent, and the application's again afterwards.

    A redirect copies the headers of the request before it: ours must not travel on to another host that way.
    """

    __slots__ = ("_headers", "_measured", "_request")

    def __init__(self, request: httpx.Request, carrier: dict[str, str], measured: _Measured | None) -> None:
        self._request = request
        self._headers = request.headers
        self._measured = measured
        # With the encoding that is known: a copy would look for it in every header again, which takes 2 us.
        request.headers = httpx.Headers(self._headers, encoding=self._headers.encoding)
        for name, value in carrier.items():
            request.headers[name] = value

    def end(self, response: httpx.Response | None = None, error: BaseException | None = None) -> None:
        """Give the request its headers back and end its span; never raises."""
        self._request.headers = self._headers
        if self._measured is not None:
            self._measured.end(response, error)


def _sync(outbound: _Outbound) -> Callable[[Any], Any]:
    def wrapper(original: Callable[[Any, httpx.Request], httpx.Response]) -> Callable[..., httpx.Response]:
        @wraps(original)
        def handle_request(transport: Any, request: httpx.Request) -> httpx.Response:
            exchange = outbound.begin(request)
            if exchange is None:
                return original(transport, request)
            try:
                response = original(transport, request)
            except BaseException as error:
                exchange.end(error=error)
                raise
            exchange.end(response)
            return response

        return handle_request

    return wrapper


def _async(outbound: _Outbound) -> Callable[[Any], Any]:
    def wrapper(
        original: Callable[[Any, httpx.Request], Coroutine[Any, Any, httpx.Response]],
    ) -> Callable[..., Coroutine[Any, Any, httpx.Response]]:
        @wraps(original)
        async def handle_async_request(transport: Any, request: httpx.Request) -> httpx.Response:
            exchange = outbound.begin(request)
            if exchange is None:
                return await original(transport, request)
            try:
                response = await original(transport, request)
            except BaseException as error:
                exchange.end(error=error)
                raise
            exchange.end(response)
            return response

        return handle_async_request

    return wrapper
