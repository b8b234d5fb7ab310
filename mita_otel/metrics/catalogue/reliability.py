"""Errors and timeouts. Source: observability report, sections 3.2, 5.3 and 6.1 #1."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, closed

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
TIMEOUTS: Final = Counter(
    name="mita.timeouts",
    unit="{timeout}",
    description="Waits that were given up, by what was waited for.",
    source=OURS,
    attributes=(closed("scope", "database", "pool", "cache", "external"),),
)
