"""Views: the buckets that service level objectives need, and the attributes that HTTP metrics may have."""

from typing import Final

from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

DURATION_BUCKETS: Final = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    2.0,
    3.0,
    5.0,
    7.5,
    10.0,
)
"""Seconds. Every latency threshold of the report's objectives (0.1 to 10 s) is a bound: a quantile or a share that is
compared with a threshold between two bounds is a guess. Source: observability report, sections 4.1-4.2, 6.1 and 7.2."""

_DURATIONS: Final = (
    "http.server.request.duration",
    "http.client.request.duration",
    "db.client.operation.duration",
    "db.client.connection.wait_time",
)

_HTTP_SERVER_ATTRIBUTES: Final = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)
"""What a client cannot make up: the Host header, the path and the query are not among them."""


def views(*, explicit_buckets: bool) -> list[View]:
    """Return the provider's Views; without explicit buckets histograms keep the exporter's own aggregation."""
    http_server = {"http.server.request.duration"}
    aggregation = ExplicitBucketHistogramAggregation(DURATION_BUCKETS) if explicit_buckets else None
    result = [
        View(
            instrument_name=name,
            attribute_keys=set(_HTTP_SERVER_ATTRIBUTES) if name in http_server else None,
            aggregation=aggregation,
        )
        for name in _DURATIONS
    ]
    result.extend(
        View(instrument_name=name, attribute_keys=set(_HTTP_SERVER_ATTRIBUTES))
        for name in (
            "http.server.active_requests",
            "http.server.request.body.size",
            "http.server.response.body.size",
        )
    )
    return result
