"""What this process has counted in each minute of the last day, and what of it others have been told."""

import threading
from array import array
from collections.abc import Callable
from typing import Final

from mita_otel.slo.counts import Cells
from mita_otel.slo.windows import MINUTE

KEPT: Final = 25 * 60
"""Minutes that are kept: so long Redis may be away, or forget everything, before something is lost to the others."""


class Minutes:
    """Counts by minute: each is the whole of what came in it, so that who is told twice knows no more than once.

    Attributes:
        lost: events that were too old to be told when they could be.
    """

    __slots__ = ("_before", "_kept", "_last", "_lock", "_told", "lost")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, as a forked child does."""
        self._lock = threading.Lock()
        self._kept: dict[int, Cells] = {}
        self._before: Cells | None = None
        self._last = 0
        self._told = -1
        self.lost = 0

    def note(self, now: float, counted: Callable[[], Cells]) -> None:
        """Take note of the counts: what came since the last time belongs to the minute under way.

        Args:
            now: seconds since the epoch, by a clock that all share. A step back stays in the minute under way.
            counted: returns all that was counted.
        """
        with self._lock:
            cells = counted()  # in here, so that of two threads none notes less than the other one has
            minute = max(int(now // MINUTE), self._last)
            before = self._before if self._before is not None else array("q", bytes(8 * len(cells)))
            came = array("q", map(int.__sub__, cells, before))
            if min(came, default=0) < 0:  # counters that begin anew have counted what they show
                came = cells
            held = self._kept.get(minute)
            self._kept[minute] = came if held is None else array("q", map(int.__add__, held, came))
            self._before, self._last = cells, minute
            self._forget(minute - KEPT)

    def untold(self, most: int) -> list[tuple[int, Cells]]:
        """Return the minutes that others have not been told the end of, from the oldest on."""
        with self._lock:
            return [(minute, cells) for minute, cells in self._kept.items() if minute >= self._told][:most]

    def told(self, minute: int) -> None:
        """Take note that others know all until this minute, which may have more to come."""
        with self._lock:
            self._told = max(self._told, minute)

    def tell_again(self) -> None:
        """Let everything be told again that is still known: whoever was told has forgotten it."""
        with self._lock:
            self._told = -1

    def _forget(self, before: int) -> None:
        while (oldest := next(iter(self._kept))) < before:
            gone = self._kept.pop(oldest)
            if oldest > self._told:
                self.lost += sum(gone)
