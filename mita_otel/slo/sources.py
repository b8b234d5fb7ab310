"""Where counts come from: what a source sees of all objectives at one moment, and the one that is always there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from mita_otel.slo.alerts import Window
from mita_otel.slo.archive import Archive
from mita_otel.slo.budget import Count
from mita_otel.slo.counts import Cells, Counts, count_of
from mita_otel.slo.history import History, Past
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import WINDOWS, Period

_ADDED_AT_MOST: Final = 64
"""Sums of what others told that are kept: those of one minute, with some to spare."""

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
        replicas: processes that it is of; None where that is not known.
        missing: processes that were there within the last hour, did not leave, and are silent.
        filled: where what came before the process is from, and until when that tells; None where there is nothing.
    """

    source: str
    scope: Scope
    watermark: float
    since: float | None
    seen: Mapping[str, Seen]
    replicas: int | None = None
    missing: int = 0
    filled: tuple[str, float] | None = None


class Source(Protocol):
    """Sees counts."""

    def look(self, now: float) -> Sight | None:
        """Return what is known at a moment, at once; None where that is nothing that could be told."""


class ProcessSource:
    """What this process has counted itself: always there, exact to the last request, and no more than its share.

    What came before it, or before others fell silent, it has from what they told last: its share of that, so that a
    budget outlives a restart, and the loss of who kept it.

    Args:
        slos: the objectives.
        counts: of their events.
        history: what was counted until when.
        pasts: return what others have told; what tells until the latest moment is believed.
    """

    __slots__ = ("_added", "_counts", "_history", "_pasts", "_slos")

    def __init__(
        self,
        slos: tuple[Slo, ...],
        counts: Counts,
        history: History,
        pasts: Sequence[Callable[[], Archive | None]] = (),
    ) -> None:
        self._slos = slos
        self._counts = counts
        self._history = history
        self._pasts = tuple(pasts)
        self._added: dict[tuple[str, float, int, int], Past] = {}

    def look(self, now: float) -> Sight:
        """Return what was counted until now."""
        cells = self._counts.seen()
        self._history.tick(now, cells)
        pasts = [past for each in self._pasts if (past := each()) is not None]
        told = max(pasts, key=lambda past: past.until, default=None)
        windows = {length: self._since(now, now - length, cells, told) for length in WINDOWS.values()}
        periods: dict[Period, Known] = {}
        seen = {}
        for index, slo in enumerate(self._slos):
            known = periods.get(slo.period)
            if known is None:
                begin = slo.period.bounds(datetime.fromtimestamp(now, UTC))[0].timestamp()
                known = periods[slo.period] = self._since(now, begin, cells, told)
            seen[slo.id] = Seen(
                {length: Window(each.of(index), each.coverage) for length, each in windows.items()},
                Window(known.of(index), known.coverage),
                known.continuity,
            )
        return Sight(
            source="process",
            scope="process",
            watermark=now,
            since=self._history.began,
            seen=seen,
            filled=None if told is None else (told.source, told.until),
        )

    def _since(self, now: float, moment: float, cells: Cells, told: Archive | None) -> "Known":
        if told is None:
            past = self._history.since(now, moment, cells)
            return Known(past.cells, None, 1, past.coverage, past.continuity)
        # From where others fell silent on it is told by this process alone.
        handed = told.until // told.step * told.step
        own = self._history.since(now, max(moment, handed), cells)
        if moment >= handed:
            return Known(own.cells, None, 1, own.coverage, own.continuity)
        others = self._others(told, moment, handed)
        share = (handed - moment) / (now - moment) if now > moment else 1.0
        return Known(
            own.cells,
            others.cells,
            told.replicas,
            others.coverage * share + own.coverage * (1 - share),
            others.continuity * share + own.continuity * (1 - share),
        )

    def _others(self, told: Archive, moment: float, handed: float) -> Past:
        # A month's hours are not added up for each answer: what others told stays the same until they tell more.
        key = (told.source, told.until, int(moment // told.step), int(handed))
        known = self._added.get(key)
        if known is None:
            if len(self._added) >= _ADDED_AT_MOST:
                self._added.clear()
            known = self._added[key] = told.since(moment, handed)
        return known


class Known(NamedTuple):
    """What a process knows of a span of time.

    Attributes:
        own: what it has counted.
        others: what all processes have counted before that.
        replicas: how many those were.
        coverage: share of it that was watched.
        continuity: the same, since the first of it.
    """

    own: Cells
    others: "Cells | None"
    replicas: int
    coverage: float
    continuity: float

    def of(self, index: int) -> Count:
        """Return the events of an objective: its own, and its share of the others'."""
        own = count_of(self.own, index)
        if self.others is None:
            return own
        before = count_of(self.others, index)
        return Count(own.good + before.good / self.replicas, own.bad + before.bad / self.replicas)
