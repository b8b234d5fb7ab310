"""Errors, timeouts and rate limits. Source: observability report, sections 2.5, 3.2, 5.3 and 6.1 #1."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, bounded, closed

ERRORS: Final = Counter(
    name="mita.errors",
    unit="{error}",
    description="Requests that ended with an error, by what went wrong and how much it matters.",
    source=OURS,
    attributes=(
        closed(
            "category",
            *("validation", "authentication", "authorization", "database"),
            *("external_api", "business_logic", "system", "performance"),
        ),
        closed("severity", "low", "medium", "high", "critical"),
    ),
)
ERROR_ALERTS: Final = Counter(
    name="mita.error.alerts",
    unit="{alert}",
    description="Alerts about errors of one origin, by what became of their way to Alertmanager; the log has them all.",
    source=OURS,
    attributes=(closed("outcome", "sent", "failed", "dropped"),),
)
TIMEOUTS: Final = Counter(
    name="mita.timeouts",
    unit="{timeout}",
    description="Waits that were given up, by what was waited for.",
    source=OURS,
    attributes=(closed("scope", "request", "database", "pool", "cache", "external"),),
)

_POLICY: Final = bounded("policy", "rate limits that the service's code names", at_most=64)

RATE_LIMIT_REQUESTS: Final = Counter(
    name="mita.rate_limit.requests",
    unit="{request}",
    description="Requests that were held to a rate limit; fallback is what was decided while Redis did not answer,"
    " error a fault of the limiter's own.",
    source=OURS,
    attributes=(_POLICY, closed("result", "allowed", "blocked", "fallback_allowed", "fallback_blocked", "error")),
)
RATE_LIMIT_UTILIZATION: Final = Histogram(
    name="mita.rate_limit.utilization",
    unit="",
    description="Share of its quota that a client had used after a request, 0 to 1; it is 1 where it was blocked.",
    source=OURS,
    attributes=(_POLICY,),
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.999),
)
RATE_LIMIT_CHECK_DURATION: Final = Histogram(
    name="mita.rate_limit.check.duration",
    unit="s",
    description="Time that a request's rate limits took, all of its policies together.",
    source=OURS,
    attributes=(closed("backend", "redis", "local", "fallback"),),
    buckets=(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
RATE_LIMIT_BACKEND_STATE: Final = Gauge(
    name="mita.rate_limit.backend.state",
    unit="",
    description="State of what rate limits are counted in, 1 for the one it has and 0 for the others: Redis answers,"
    " Redis does not, or there is none and each process counts alone.",
    source=OURS,
    attributes=(closed("state", "up", "down", "local"),),
)
RATE_LIMIT_REPLICAS: Final = Gauge(
    name="mita.rate_limit.replicas",
    unit="{process}",
    description="Processes among which this one divides quotas if Redis does not answer.",
    source=OURS,
)
RATE_LIMIT_EVICTIONS: Final = Counter(
    name="mita.rate_limit.evictions",
    unit="{client}",
    description="Clients that a process forgot to make room for others; matters only without Redis.",
    source=OURS,
    attributes=(_POLICY,),
)
RATE_LIMIT_MALFORMED_HEADERS: Final = Counter(
    name="mita.rate_limit.malformed_headers",
    unit="{header}",
    description="Headers in which a trusted proxy's entry was no address; the proxy itself counts as the client then.",
    source=OURS,
)
