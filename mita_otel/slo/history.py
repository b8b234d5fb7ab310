"""What was counted until when: cumulative counts at the beginning of each minute and hour.

What came in a window is a subtraction, however long it is. 31 objectives take 3 MB, a hundred bytes a mark and series.
"""

import os
from array import array
from dataclasses import dataclass
from typing import Final, NamedTuple
from weakref import ref

from mita_otel.slo.counts import Cells
from mita_otel.slo.windows import DAY, HOUR, MINUTE

_MINUTES: Final = 3 * DAY // MINUTE + 1
_HOURS: Final = 32 * DAY // HOUR + 1
"""Marks that are kept: the longest window of minutes is 3 days, of hours a month."""


class _Mark(NamedTuple):
    """What was known as a slice of time began: cumulative counts, and slices that were watched until then."""

    cells: Cells
    watched: int


@dataclass(frozen=True, slots=True)
class Past:
    """What came since a moment.

    Attributes:
        cells: that were counted.
        coverage: share of the slices since then that were watched; those before the process began were not.
        continuity: the same, of the slices since the process began.
    """

    cells: Cells
    coverage: float
    continuity: float


class Ring:
    """Marks at the beginnings of slices of one length.

    Args:
        length: of a slice, in seconds.
        size: marks that are kept.
    """

    __slots__ = ("_first", "_last", "_latest", "_length", "_marks", "_size", "_watched")

    def __init__(self, length: int, size: int) -> None:
        self._length = length
        self._size = size
        self._marks: dict[int, _Mark] = {}
        self._first = self._last = 0
        self._watched = 0
        self._latest: Cells = array("q")

    def tick(self, now: float, cells: Cells) -> None:
        """Take note of the counts; what is a step back in time is part of the slice under way.

        Args:
            now: seconds since the epoch.
            cells: all that was counted.
        """
        slot = int(now // self._length)
        if not self._marks:
            self._first = self._last = slot
            self._marks[slot] = _Mark(array("q", bytes(8 * len(cells))), 0)
        elif slot > self._last:
            self._pass(slot, cells)
        self._latest = cells

    def since(self, moment: float, cells: Cells) -> Past:
        """Return what came since the slice of a moment began.

        Args:
            moment: seconds since the epoch.
            cells: all that was counted until now.
        """
        slot = min(int(moment // self._length), self._last)
        # Nothing was counted before the first mark; what is too old to be known is told from the oldest one.
        mark = self._marks[max(slot, self._first)]
        watched = self._watched - mark.watched
        return Past(
            array("q", (now - then for now, then in zip(cells, mark.cells, strict=True))),
            _share(watched, self._last - slot),
            _share(watched, self._last - max(slot, self._first)),
        )

    def _pass(self, slot: int, cells: Cells) -> None:
        """Go on to another slice; those that nobody looked at are gaps, and what came in them came at their end."""
        self._watched += 1
        gap = _Mark(self._latest, self._watched)
        for missed in range(max(self._last + 1, slot - self._size + 1), slot):
            self._marks[missed] = gap
        self._marks[slot] = _Mark(cells, self._watched)
        for gone in range(self._first, min(slot - self._size + 1, self._last + 1)):
            self._marks.pop(gone, None)
        self._first = max(self._first, slot - self._size + 1)
        self._last = slot


def _share(watched: int, expected: int) -> float:
    return min(watched / expected, 1.0) if expected > 0 else float(expected == 0)


class History:
    """Marks of minutes for the windows of burn, and of hours for the periods of budgets.

    Attributes:
        began: when it first took note, in seconds since the epoch; None before.
    """

    __slots__ = ("__weakref__", "_hours", "_minutes", "began")

    def __init__(self) -> None:
        self.began: float | None = None
        self._begin()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def tick(self, now: float, cells: Cells) -> None:
        """Take note of the counts; at least once a minute, or a minute is missing.

        Args:
            now: seconds since the epoch.
            cells: all that was counted.
        """
        self.began = now if self.began is None else self.began
        self._minutes.tick(now, cells)
        self._hours.tick(now, cells)

    def since(self, now: float, moment: float, cells: Cells) -> Past:
        """Return what came since a moment: to the minute within three days, to the hour before."""
        ring = self._minutes if now - moment <= 3 * DAY else self._hours
        return ring.since(moment, cells)

    def _begin(self) -> None:
        self._minutes = Ring(MINUTE, _MINUTES)
        self._hours = Ring(HOUR, _HOURS)
        self.began = None


def _begin_anew(history: History | None) -> None:
    if history is not None:
        history._begin()  # noqa: SLF001 - its own module
