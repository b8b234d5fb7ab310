"""Names of the series that rules record of objectives, written once for whoever makes and whoever asks for them."""

from typing import Final

SUMS: Final = "mita_slo:events:increase5m"
"""Events of five minutes, by service, objective and outcome; a sum of them is that of their time."""

SUMMED: Final = 300
"""Seconds of one of them."""

CONTRIBUTED: Final = "mita_slo:contributed:increase5m"
"""Bad events of five minutes, by service, objective, dimension and contributor; they add up as those do."""

OBJECTIVE: Final = "mita_slo:objective:ratio"
BURN_RATE: Final = "mita_slo:burn_rate:ratio"
SLI: Final = "mita_slo:sli:ratio"
INDICATOR: Final = "mita_slo:indicator:rate"

COVERAGE: Final = "mita_slo:coverage:ratio"
"""Share of a `period` in which events were counted at all."""
ALLOWED: Final = "mita_slo:allowed:events"
"""Bad events that a whole `period` allows, at the traffic of what was seen of it."""
SPENT: Final = "mita_slo:spent:ratio"
"""Share of a period's budget that the bad events of a `window` are."""
FACTOR: Final = "mita_slo:alert:factor"
"""The burn rate at which an objective alerts, by `severity` and long `window`."""
PERIOD: Final = "mita_slo:period:seconds"
"""What an objective's budget is for."""

REMAINING: Final = "mita_error_budget_remaining"
"""Source: observability report, section 6.2 #5; a share, signed."""
AVAILABILITY: Final = "mita_availability_slo"
"""As above; in percent."""


def increase(selector: str, length: int) -> str:
    """Return what counters have counted in so many seconds until now, series by series, and not guessed.

    It holds for counters that begin with a zero: what one has at last, less what it had before or began with. Slices
    that meet add up. Where a counter was reset within its series `increase` must do, which guesses.
    """
    window = f"{selector}[{length}s]"
    exact = f"max_over_time({window}) - ({selector} offset {length}s or min_over_time({window}))"
    return f"({exact} and resets({window}) == 0 or increase({window}))"
