"""HTTP."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DURATIONS, ERROR, SERVER_ADDRESS, SERVER_PORT, SIZES
from mita_otel.metrics.instrument import Histogram, UpDownCounter, bounded, closed

_SOURCE: Final = "https://opentelemetry.io/docs/specs/semconv/http/http-metrics/"

METHODS: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
"""Methods that may become an attribute's value; any other is `_OTHER`."""

_METHOD: Final = closed("http.request.method", *METHODS, "_OTHER")
_STATUS: Final = bounded("http.response.status_code", "status codes")
_SCHEME: Final = closed("url.scheme", "http", "https")
_ROUTE: Final = bounded("http.route", "the application's route templates")
_PROTOCOL: Final = bounded("network.protocol.version", "versions of HTTP")

SERVER_REQUEST_DURATION: Final = Histogram(
    name="http.server.request.duration",
    unit="s",
    description="Duration of HTTP server requests.",
    source=_SOURCE,
    attributes=(_METHOD, _STATUS, _ROUTE, _SCHEME, _PROTOCOL, ERROR),
    buckets=DURATIONS,
)
SERVER_ACTIVE_REQUESTS: Final = UpDownCounter(
    name="http.server.active_requests",
    unit="{request}",
    description="Number of active HTTP server requests.",
    source=_SOURCE,
    attributes=(_METHOD, _SCHEME),
)
SERVER_REQUEST_BODY_SIZE: Final = Histogram(
    name="http.server.request.body.size",
    unit="By",
    description="Size of HTTP server request bodies.",
    source=_SOURCE,
    attributes=(_METHOD, _STATUS, _ROUTE, _SCHEME),
    buckets=SIZES,
)
SERVER_RESPONSE_BODY_SIZE: Final = Histogram(
    name="http.server.response.body.size",
    unit="By",
    description="Size of HTTP server response bodies.",
    source=_SOURCE,
    attributes=(_METHOD, _STATUS, _ROUTE, _SCHEME),
    buckets=SIZES,
)
CLIENT_REQUEST_DURATION: Final = Histogram(
    name="http.client.request.duration",
    unit="s",
    description="Duration of HTTP client requests.",
    source=_SOURCE,
    attributes=(_METHOD, _STATUS, SERVER_ADDRESS, SERVER_PORT, _PROTOCOL, ERROR),
    buckets=DURATIONS,
)
