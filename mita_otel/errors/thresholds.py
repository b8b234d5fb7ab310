"""When errors of one origin are worth an alert. Source: observability report, section 3.2.

The report gives no window for its counts; read naturally it is the cooldown of the same severity
(`reliability-slo-breakers-limits.md`, A6 #30).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mita_otel.errors.taxonomy import Severity

SEVERITIES: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""The gravest first."""

_RANK: Final[Mapping[Severity, int]] = {severity: -place for place, severity in enumerate(SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Threshold:
    """So many occurrences within so many seconds are an alert; it cools down for as many seconds."""

    occurrences: int
    seconds: float


THRESHOLDS: Final[Mapping[Severity, Threshold]] = {
    Severity.CRITICAL: Threshold(1, 5 * 60),
    Severity.HIGH: Threshold(3, 15 * 60),
    Severity.MEDIUM: Threshold(10, 60 * 60),
    Severity.LOW: Threshold(50, 240 * 60),
}


def is_graver(one: Severity, other: Severity) -> bool:
    """Say whether one severity is above another."""
    return _RANK[one] > _RANK[other]


@dataclass(slots=True)
class Watch:
    """Decides for one group of errors; holds the times of at most 64 occurrences.

    An occurrence counts towards the threshold of its severity and of those below it. While an alert cools down only a
    graver one breaks the silence.
    """

    _times: dict[Severity, deque[float]] = field(
        default_factory=lambda: {severity: deque(maxlen=THRESHOLDS[severity].occurrences) for severity in SEVERITIES}
    )
    _alerted: Severity | None = None
    _alerted_at: float = 0.0

    def occurred(self, severity: Severity, now: float) -> Severity | None:
        """Return the severity of the alert that an occurrence calls for, if it does.

        Args:
            severity: of the occurrence.
            now: in seconds, of a clock that does not go back.
        """
        below = SEVERITIES[SEVERITIES.index(severity) :]
        for each in below:
            self._times[each].append(now)
        reached = next((each for each in below if self._is_reached(each, now)), None)
        if reached is None or self._is_silent(reached, now):
            return None
        self._alerted, self._alerted_at = reached, now
        return reached

    def _is_reached(self, severity: Severity, now: float) -> bool:
        threshold, times = THRESHOLDS[severity], self._times[severity]
        return len(times) == threshold.occurrences and now - times[0] < threshold.seconds

    def _is_silent(self, severity: Severity, now: float) -> bool:
        if self._alerted is None or is_graver(severity, self._alerted):
            return False
        return now - self._alerted_at < THRESHOLDS[self._alerted].seconds
