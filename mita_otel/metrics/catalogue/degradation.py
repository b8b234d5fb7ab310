"""Feature flags and graceful degradation. Source: observability report, sections 5.4 and 6.3 #8."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, bounded, closed

_FEATURE: Final = bounded("feature", "features that the service's code names, 32 at most", at_most=32)
_MODE: Final = closed("mode", "full", "cached", "generic", "off")

EVALUATIONS: Final = Counter(
    name="mita.feature_flag.evaluations",
    unit="{evaluation}",
    description="Evaluations of feature flags.",
    source=OURS,
    attributes=(
        bounded("key", "flags that the service's code asks for, 64 at most, and `other`", at_most=65),
        bounded("variant", "variants that the flags' provider defines"),
        closed(
            "reason",
            *("static", "default", "targeting_match", "split", "cached", "disabled", "unknown", "stale", "error"),
        ),
    ),
)
ACTIVE: Final = Gauge(
    name="mita.degradation.active",
    unit="",
    description="Is 1 for the mode that a feature was served in last, 0 for the others.",
    source=OURS,
    attributes=(_FEATURE, _MODE),
)
SERVED: Final = Counter(
    name="mita.degradation.served",
    unit="{request}",
    description="Times that a feature was served, by how much of it and why not all.",
    source=OURS,
    attributes=(
        _FEATURE,
        _MODE,
        closed("cause", "none", "flag", "circuit_open", "deadline", "budget", "failure"),
    ),
)
