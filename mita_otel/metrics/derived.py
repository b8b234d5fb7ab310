"""What the report asks for and a standard metric already says: series that Prometheus derives by rules.

Measured once, named twice: DESIGN, rule 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mita_otel.metrics.catalogue import cache, database, http, process, reliability, retries
from mita_otel.metrics.instrument import Histogram, Instrument
from mita_otel.metrics.naming import prometheus_label


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """An instrument's series under another name, with added labels; the labels they have stay.

    Attributes:
        name: in Prometheus.
        source: the instrument that measures it.
        description: one sentence.
        labels: attributes of the source, by the label that repeats them.
        where: values that attributes of the source must have, or, after a `!`, must not.
        count_only: whether a histogram becomes the counter of its measurements.
    """

    name: str
    source: Instrument
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    count_only: bool = False

    def records(self) -> Mapping[str, str]:
        """Return the expressions, by the name of the series that each is recorded as."""
        if not isinstance(self.source, Histogram):
            return {self.name: self._expression("")}
        if self.count_only:
            return {self.name: self._expression("_count")}
        return {f"{self.name}{part}": self._expression(part) for part in ("_bucket", "_sum", "_count")}

    def _expression(self, part: str) -> str:
        expression = f"{self.source.prometheus_name}{part}{self._selector()}"
        for label, attribute in self.labels.items():
            expression = f'label_replace({expression}, "{label}", "$1", "{prometheus_label(attribute)}", "(.*)")'
        return expression

    def _selector(self) -> str:
        matchers = [
            f'{prometheus_label(attribute)}{"!=" if value.startswith("!") else "="}"{value.removeprefix("!")}"'
            for attribute, value in self.where.items()
        ]
        return f"{{{', '.join(matchers)}}}" if matchers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A series made of others by an expression.

    Attributes:
        name: in Prometheus.
        expression: in PromQL.
        description: one sentence.
        made_of: the name of the series that it is made of.
    """

    name: str
    expression: str
    description: str
    made_of: str

    def records(self) -> Mapping[str, str]:
        """Return the expression, by the name of the series that it is recorded as."""
        return {self.name: self.expression}


_HTTP: Final = {
    "method": "http.request.method",
    "endpoint": "http.route",
    "status": "http.response.status_code",
}
_CALL: Final = {
    "method": "http.request.method",
    "service": "server.address",
    "status": "http.response.status_code",
}
_QUERY: Final = {"query_type": "db.operation.name"}
_NO_CACHE: Final = {"db.system.name": "!redis"}
_BY: Final = "service_name, deployment_environment_name"
_LOOKUPS: Final = (
    f'sum by ({_BY}, cache) (rate(mita_cache_operations_total{{{{operation="get", status=~"{{}}"}}}}[5m]))'
)
_HELD: Final = f'sum by ({_BY}, policy) (rate(mita_rate_limit_requests_total{{{{result=~"{{}}"}}}}[5m]))'
_BLOCKED: Final = "blocked|fallback_blocked"

RENAMED: Final = (
    Renamed(
        name="mita_http_requests_total",
        source=http.SERVER_REQUEST_DURATION,
        description="Requests answered.",
        labels=_HTTP,
        count_only=True,
    ),
    Renamed(
        name="mita_http_request_duration_seconds",
        source=http.SERVER_REQUEST_DURATION,
        description="Time to answer a request.",
        labels=_HTTP,
    ),
    Renamed(
        name="mita_http_request_size_bytes",
        source=http.SERVER_REQUEST_BODY_SIZE,
        description="Size of request bodies.",
        labels=_HTTP,
    ),
    Renamed(
        name="mita_http_response_size_bytes",
        source=http.SERVER_RESPONSE_BODY_SIZE,
        description="Size of response bodies.",
        labels=_HTTP,
    ),
    Renamed(
        name="mita_http_requests_active",
        source=http.SERVER_ACTIVE_REQUESTS,
        description="Requests being answered.",
        labels={"method": "http.request.method"},
    ),
    Renamed(
        name="mita_external_requests_total",
        source=http.CLIENT_REQUEST_DURATION,
        description="Calls to other services.",
        labels=_CALL,
        count_only=True,
    ),
    Renamed(
        name="mita_external_request_duration_seconds",
        source=http.CLIENT_REQUEST_DURATION,
        description="Time that calls to other services took.",
        labels=_CALL,
    ),
    Renamed(
        name="mita_database_queries_total",
        source=database.OPERATION_DURATION,
        description="Queries, by their verb.",
        labels=_QUERY,
        where=_NO_CACHE,
        count_only=True,
    ),
    Renamed(
        name="mita_database_query_duration_seconds",
        source=database.OPERATION_DURATION,
        description="Time that queries took.",
        labels=_QUERY,
        where=_NO_CACHE,
    ),
    Renamed(
        name="mita_cache_command_duration_seconds",
        source=database.OPERATION_DURATION,
        description="Time that commands of the cache took.",
        labels={"command": "db.operation.name"},
        where={"db.system.name": "redis"},
    ),
    Renamed(
        name="mita_database_connections_active",
        source=database.CONNECTION_COUNT,
        description="Connections in use.",
        where={**_NO_CACHE, "db.client.connection.state": "used"},
    ),
    Renamed(
        name="mita_database_connections_idle",
        source=database.CONNECTION_COUNT,
        description="Connections that wait in the pool.",
        where={**_NO_CACHE, "db.client.connection.state": "idle"},
    ),
    Renamed(
        name="mita_database_connections_max",
        source=database.CONNECTION_MAX,
        description="Connections that the pool may open.",
        where=_NO_CACHE,
    ),
    Renamed(
        name="mita_database_connection_wait_seconds",
        source=database.CONNECTION_WAIT_TIME,
        description="Time to get a connection from the pool.",
        where=_NO_CACHE,
    ),
    Renamed(
        name="mita_database_connection_timeouts_total",
        source=database.CONNECTION_TIMEOUTS,
        description="Waits for a connection that were given up.",
        where=_NO_CACHE,
    ),
    Renamed(name="mita_uptime_seconds", source=process.UPTIME, description="Time since the process started."),
)
"""Standard series under the report's names. Source: observability report, sections 2.4 and 6.1 #1."""

COMPUTED: Final = (
    Computed(
        name="mita_error_rate",
        expression=(
            f'sum by ({_BY}, endpoint) (rate(mita_http_requests_total{{status=~"5.."}}[5m]))'
            f" / sum by ({_BY}, endpoint) (rate(mita_http_requests_total[5m])) > 0"
            f" or 0 * sum by ({_BY}, endpoint) (rate(mita_http_requests_total[5m]))"
        ),
        description="Share of requests of the last 5 minutes that ended with a server's error, by endpoint.",
        made_of="mita_http_requests_total",
    ),
    Computed(
        name="mita_cache_hit_rate",
        # Without a lookup there is no rate: neither all nor none of them were hits.
        expression=f"{_LOOKUPS.format('hit')} / ({_LOOKUPS.format('hit|miss')} > 0)",
        description="Share of the lookups of the last 5 minutes that the cache could answer, by cache.",
        made_of=cache.OPERATIONS.prometheus_name,
    ),
    Computed(
        name="mita_retry_amplification",
        # Attempts and calls are counted at their ends and beginnings: a long window levels that out.
        expression=(
            f"sum by ({_BY}, dependency) (rate(mita_retry_attempts_total[5m]))"
            f" / (sum by ({_BY}, dependency) (rate(mita_retry_calls_total[5m])) > 0)"
        ),
        description="Attempts that a call took in the last 5 minutes, by dependency; 1 where nothing was retried.",
        made_of=retries.ATTEMPTS.prometheus_name,
    ),
    Computed(
        name="mita_rate_limit_hit_rate",
        expression=f"{_HELD.format(_BLOCKED)} / ({_HELD.format(f'{_BLOCKED}|allowed|fallback_allowed')} > 0)",
        description="Share of the requests of the last 5 minutes that a rate limit blocked, by policy.",
        made_of=reliability.RATE_LIMIT_REQUESTS.prometheus_name,
    ),
    *(
        Computed(
            name=name,
            expression=f'sum without (result) (mita_rate_limit_requests_total{{result=~"{_BLOCKED}"}})',
            description="Requests that a rate limit blocked.",
            made_of=reliability.RATE_LIMIT_REQUESTS.prometheus_name,
        )
        for name in ("mita_rate_limit_blocked_total", "mita_rate_limit_exceeded_total")
    ),
)
"""Ratios, which cannot be added up over processes and so are no instruments, and sums over an attribute."""

DERIVED: Final[tuple[Renamed | Computed, ...]] = (*RENAMED, *COMPUTED)
