"""Circuit breakers. Source: observability report, sections 2.3, 2.4 and 6.1 #1."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DURATIONS
from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, bounded, closed

_SERVICE: Final = bounded("service", "breakers that the service's code names, 64 at most", 64)
_STATES: Final = ("closed", "open", "half_open", "forced_open", "disabled", "metrics_only")
_STATE: Final = closed("state", *_STATES)

STATE: Final = Gauge(
    name="mita.circuit_breaker.state",
    unit="",
    description="Which state a breaker is in: 1 for that one, 0 for each of the others.",
    source=OURS,
    attributes=(_SERVICE, _STATE),
)
STATE_DURATION: Final = Counter(
    name="mita.circuit_breaker.state.duration",
    unit="s",
    description="Time that a breaker has spent in each state.",
    source=OURS,
    attributes=(_SERVICE, _STATE),
)
CALLS: Final = Counter(
    name="mita.circuit_breaker.calls",
    unit="{call}",
    description="Calls, by how they ended; what is ignored says nothing about the dependency, as a cancelled call.",
    source=OURS,
    attributes=(
        _SERVICE,
        closed("outcome", "success", "failure", "slow_success", "slow_failure", "rejected", "ignored"),
    ),
)
REQUESTS: Final = Counter(
    name="mita.circuit_breaker.requests",
    unit="{call}",
    description="The same calls, by the state in which they were asked for.",
    source=OURS,
    attributes=(_SERVICE, _STATE),
)
FAILURES: Final = Counter(
    name="mita.circuit_breaker.failures",
    unit="{call}",
    description="Those of the same calls that failed.",
    source=OURS,
    attributes=(_SERVICE,),
)
CALL_DURATION: Final = Histogram(
    name="mita.circuit_breaker.call.duration",
    unit="s",
    description="Time that calls took which were let through.",
    source=OURS,
    attributes=(_SERVICE, closed("outcome", "success", "failure", "slow_success", "slow_failure", "ignored")),
    buckets=DURATIONS,
)
TRANSITIONS: Final = Counter(
    name="mita.circuit_breaker.transitions",
    unit="{transition}",
    description="Changes of a breaker's state, and why it changed.",
    source=OURS,
    attributes=(
        _SERVICE,
        closed("from", *_STATES),
        closed("to", *_STATES),
        closed(
            "reason",
            *("failures", "failure_rate", "slow_rate", "wait_over", "probe_failed", "probes_succeeded"),
            *("shared", "operator", "library"),
        ),
    ),
)
FAILURE_RATE: Final = Gauge(
    name="mita.circuit_breaker.failure_rate",
    unit="",
    description="Share of failures of a breaker's last 100 calls in this process that succeeded or failed, 0 to 1.",
    source=OURS,
    attributes=(_SERVICE,),
)
WOULD_REJECT: Final = Counter(
    name="mita.circuit_breaker.would_reject",
    unit="{call}",
    description="Calls that a breaker let through only because it was told to measure and not to act.",
    source=OURS,
    attributes=(_SERVICE,),
)
WOULD_OPEN: Final = Counter(
    name="mita.circuit_breaker.would_open",
    unit="{transition}",
    description="Times that a breaker would have opened, had it not been told to measure and not to act.",
    source=OURS,
    attributes=(_SERVICE,),
)
STORAGE_EVENTS: Final = Counter(
    name="mita.circuit_breaker.storage.events",
    unit="{event}",
    description="Times that a breaker lost the store that it shares its state through, found it again, or had to leave"
    " a message for it out.",
    source=OURS,
    attributes=(_SERVICE, closed("event", "degraded", "recovered", "dropped")),
)
