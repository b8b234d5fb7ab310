"""How many events of each objective this process has seen: plain numbers, two an objective, that only grow."""

import os
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TypeAlias
from weakref import ref

from mita_otel.metrics.catalogue.bounds import DURATIONS
from mita_otel.slo.budget import Count

Cells: TypeAlias = "array[int]"
"""Good and bad events of the first objective, then of the second, and so on; at last requests by how long they took."""


class Counts:
    """Events by objective.

    One lock is taken for all that one event adds: held for less than a microsecond, and by nobody who waits for
    anything. Handles of the SDK's counters would take one each.

    Args:
        size: number of objectives.
    """

    __slots__ = ("__weakref__", "_cells", "_lock", "_size")

    def __init__(self, size: int) -> None:
        # A list while it is counted: an array makes a number of every cell that is added to.
        self._cells = [0] * (2 * size + len(DURATIONS) + 1)
        self._size = size
        self._lock = threading.Lock()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def add(self, cells: Iterable[int]) -> None:
        """Count one event in each of some cells."""
        with self._lock:
            for cell in cells:
                self._cells[cell] += 1

    def add_timed(self, cells: Sequence[int], timed: Sequence[tuple[float, int]], seconds: float) -> None:
        """Count one event in each of some cells, and in a good or a bad one by the time that it took.

        Args:
            cells: those it belongs to, however long it took.
            timed: how long it may have taken for the cell beside it; it belongs to the one after that otherwise.
            seconds: that it took.
        """
        with self._lock:
            counted = self._cells
            for cell in cells:
                counted[cell] += 1
            for limit, good in timed:
                counted[good if seconds <= limit else good + 1] += 1
            if timed:
                counted[2 * self._size + bisect_left(DURATIONS, seconds)] += 1

    def seen(self) -> Cells:
        """Return all of them, as they are at one moment."""
        with self._lock:
            return array("q", self._cells)

    def clear(self) -> None:
        """Begin anew, as a forked child does: what its parent has seen the parent tells."""
        self._lock = threading.Lock()
        self._cells = [0] * len(self._cells)


def _begin_anew(counts: Counts | None) -> None:
    if counts is not None:
        counts.clear()


def count_of(cells: Cells, index: int) -> Count:
    """Return what the cells hold of an objective."""
    return Count(cells[2 * index], cells[2 * index + 1])


def quantile(cells: Cells, share: float) -> float | None:
    """Return about how many seconds a share of the requests took at most, to be looked at and not to be judged by.

    It is interpolated within a bucket, and never more than the last bound; None where there were no requests.

    Args:
        cells: of some time.
        share: above 0 and below 1.
    """
    buckets = cells[len(cells) - len(DURATIONS) - 1 :]
    rank = share * sum(buckets)
    if rank <= 0:
        return None
    passed = 0
    for lower, upper, held in zip((0.0, *DURATIONS), DURATIONS, buckets, strict=False):
        if held and passed + held >= rank:
            return lower + (upper - lower) * (rank - passed) / held
        passed += held
    return DURATIONS[-1]
