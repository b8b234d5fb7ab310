"""Where counts come from: what a source sees of all objectives at one moment, and the one that is always there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias

from mita_otel.slo.alerts import Window
from mita_otel.slo.counts import Counts, count_of
from mita_otel.slo.history import History, Past
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import WINDOWS, Period

Scope: TypeAlias = Literal["process", "service"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of one objective.

    Attributes:
        windows: by their seconds.
        period: what its budget is for.
        continuity: share of the period's slices since the first one that were watched, 0 to 1.
    """

    windows: Mapping[int, Window]
    period: Window
    continuity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen of all objectives.

    Attributes:
        source: what sees it.
        scope: whether it is this process's or all of the service's.
        watermark: until when it is complete, in seconds since the epoch.
        since: when it began, as far as that is known.
        seen: by the objective's id.
    """

    source: str
    scope: Scope
    watermark: float
    since: float | None
    seen: Mapping[str, Seen]


class Source(Protocol):
    """Sees counts."""

    def look(self, now: float) -> Sight | None:
        """Return what is known at a moment, at once; None where that is nothing that could be told."""


class ProcessSource:
    """What this process has counted itself: always there, exact to the last request, and no more than its share.

    Args:
        slos: the objectives.
        counts: of their events.
        history: what was counted until when.
    """

    __slots__ = ("_counts", "_history", "_slos")

    def __init__(self, slos: tuple[Slo, ...], counts: Counts, history: History) -> None:
        self._slos = slos
        self._counts = counts
        self._history = history

    def look(self, now: float) -> Sight:
        """Return what was counted until now."""
        cells = self._counts.seen()
        self._history.tick(now, cells)
        windows = {length: self._history.since(now, now - length, cells) for length in WINDOWS.values()}
        periods: dict[Period, Past] = {}
        seen = {}
        for index, slo in enumerate(self._slos):
            past = periods.get(slo.period)
            if past is None:
                begin = slo.period.bounds(datetime.fromtimestamp(now, UTC))[0].timestamp()
                past = periods[slo.period] = self._history.since(now, begin, cells)
            seen[slo.id] = Seen(
                {length: Window(count_of(each.cells, index), each.coverage) for length, each in windows.items()},
                Window(count_of(past.cells, index), past.coverage),
                past.continuity,
            )
        return Sight(source="process", scope="process", watermark=now, since=self._history.began, seen=seen)
