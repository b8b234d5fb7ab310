"""Retries and deadlines. Source: observability report, sections 3.4, 5.3 and 5.5."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, bounded, closed

_DEPENDENCY: Final = bounded("dependency", "retries that the service's code names, 64 at most", 64)

CALLS: Final = Counter(
    name="mita.retry.calls",
    unit="{call}",
    description="Calls to a dependency that would be tried again.",
    source=OURS,
    attributes=(_DEPENDENCY,),
)
ATTEMPTS: Final = Counter(
    name="mita.retry.attempts",
    unit="{attempt}",
    description="Attempts that those calls took, first ones included, by how they ended.",
    source=OURS,
    attributes=(_DEPENDENCY, closed("outcome", "success", "failure", "cancelled")),
)
EXHAUSTED: Final = Counter(
    name="mita.retry.exhausted",
    unit="{call}",
    description="Calls that ended with a failure which may pass, by why there was no further attempt.",
    source=OURS,
    attributes=(
        _DEPENDENCY,
        closed("reason", "attempts", "timeout", "budget", "circuit_open", "not_idempotent"),
    ),
)
WAIT: Final = Counter(
    name="mita.retry.wait",
    unit="s",
    description="Time spent waiting between attempts.",
    source=OURS,
    attributes=(_DEPENDENCY,),
)
BUDGET: Final = Gauge(
    name="mita.retry.budget",
    unit="{retry}",
    description="Retries that a dependency's budget has left in this process.",
    source=OURS,
    attributes=(_DEPENDENCY,),
)
MALFORMED_HEADERS: Final = Counter(
    name="mita.deadline.malformed_headers",
    unit="{header}",
    description="Headers that should tell how long the caller waits, and do not; they are ignored.",
    source=OURS,
    attributes=(closed("header", "grpc-timeout", "x-envoy-expected-rq-timeout-ms", "x-request-timeout"),),
)
