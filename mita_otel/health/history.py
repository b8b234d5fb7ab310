"""What a hundred looks say together: whether it gets better, how often it was bad, how steady it is.

Source: observability report, section 2.2.
"""

import itertools
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mita_otel.health.levels import RANK, Level

LENGTH: Final = 100
"""Looks that are remembered."""

TREND_OVER: Final = 20
"""Newest looks that a trend is made of."""

STEEP: Final = 0.02
"""Levels a look: with 20 looks about one level from the first half to the second, or one look in three at the end."""

Trend = Literal["improving", "stable", "degrading"]
Risk = Literal["none", "warning", "critical"]

WARNING_SECONDS: Final = 2.0
CRITICAL_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One look: its level, the seconds it took, and when it was, in seconds since the epoch."""

    level: Level
    seconds: float
    at: float


class History:
    """The last hundred looks at one component."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=LENGTH)

    def add(self, level: Level, seconds: float, at: float) -> None:
        """Remember a look."""
        self.entries.append(Entry(level, seconds, at))

    @property
    def trend(self) -> Trend:
        """Where the newest looks are heading."""
        return trend_of([RANK[entry.level] for entry in self.entries])

    @property
    def alert_frequency(self) -> float:
        """Share of the looks that were not healthy, 0 to 1."""
        bad = sum(entry.level is not Level.HEALTHY for entry in self.entries)
        return bad / len(self.entries) if self.entries else 0.0

    @property
    def stability(self) -> float:
        """Share of the looks that found what the one before had found, 0 to 1."""
        levels = [entry.level for entry in self.entries]
        changes = sum(one is not other for one, other in itertools.pairwise(levels))
        return 1 - changes / (len(levels) - 1) if len(levels) > 1 else 1.0


def trend_of(ranks: Sequence[int]) -> Trend:
    """Return where ranks are heading, by the slope of the line through the newest; 0 is the best rank."""
    newest = ranks[-TREND_OVER:]
    if len(newest) < 3:  # noqa: PLR2004 - two points are no trend
        return "stable"
    slope = statistics.linear_regression(range(len(newest)), newest).slope
    if abs(slope) < STEEP:
        return "stable"
    return "degrading" if slope > 0 else "improving"


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Milliseconds that looks took, and whether they come near to where callers give up.

    Source: observability report, section 2.2: above 5 s critical, above 2 s a warning.
    """

    last: float
    average: float
    p95: float
    p99: float
    timeout_risk: Risk


def response_times(seconds: Sequence[float]) -> ResponseTimes | None:
    """Return what a row of durations in seconds comes to; None for an empty one."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    risk: Risk = (
        "critical" if seconds[-1] > CRITICAL_SECONDS else "warning" if seconds[-1] > WARNING_SECONDS else "none"
    )
    return ResponseTimes(
        last=seconds[-1] * 1000,
        average=statistics.fmean(seconds) * 1000,
        p95=_nearest_rank(ordered, 95) * 1000,
        p99=_nearest_rank(ordered, 99) * 1000,
        timeout_risk=risk,
    )


def _nearest_rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[-(-len(ordered) * percent // 100) - 1]
