"""What spent the budgets: bad events by contributor, in minutes and hours, with traces to look at."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias
from weakref import ref

from mita_otel.slo.ledger.causes import DIMENSIONS, Cause
from mita_otel.slo.windows import DAY, HOUR, MINUTE

CONTRIBUTORS_AT_MOST: Final = 50
"""Contributors of one dimension and objective that are told apart: those that came first."""

OTHER: Final = "other"
"""All that came after them."""

EXAMPLES: Final = 3
"""Traces that are kept of a contributor: the newest."""

ENTRIES_AT_MOST: Final = 50_000
"""Numbers that are kept, of some 100 bytes each; beyond, the oldest slices of time become one."""

_MINUTES_KEPT: Final = 3 * HOUR
_HOURS_KEPT: Final = 32 * DAY


class Trace(NamedTuple):
    """A trace to look at: its id, and when the event was, in seconds since the epoch."""

    id: str
    at: float


class Contribution(NamedTuple):
    """How many bad events something contributed to, and the newest traces of them."""

    contributor: str
    bad: float
    traces: tuple[Trace, ...] = ()


Contributions: TypeAlias = Mapping[str, tuple[Contribution, ...]]
"""Contributions by dimension, the biggest first."""

Key: TypeAlias = tuple[int, str, str]
"""An objective's place, a dimension, a contributor."""


class _Slice:
    """The bad events of some time; `end` is its first second that does not belong to it."""

    __slots__ = ("begin", "counts", "end")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.counts: dict[Key, int] = {}

    def take(self, other: "_Slice") -> int:
        """Add another one; return how many entries that saves."""
        before = len(self.counts) + len(other.counts)
        for key, bad in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + bad
        self.end = max(self.end, other.end)
        return before - len(self.counts)


class Past(NamedTuple):
    """What was spent since a moment.

    Attributes:
        since: that moment, or the beginning of the slice of time that it is in.
        spent: by the objective's place.
    """

    since: float
    spent: Mapping[int, Contributions]


class Book:
    """Keeps what spent the budgets of a process's objectives.

    It costs only what bad events cost: some 10 us each, under one lock.

    Args:
        clock: seconds since the epoch.
    """

    __slots__ = ("__weakref__", "_clock", "_hours", "_known", "_lock", "_minutes", "_traces")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._begin()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def spend(self, slos: Iterable[int], cause: Cause, trace_id: str = "") -> list[Key]:
        """Write down a bad event; return what it was written down under.

        Args:
            slos: places of the objectives whose budgets it spends.
            cause: what contributed to it.
            trace_id: where it can be looked at; empty for nowhere.
        """
        now = self._clock()
        with self._lock:
            counts = self._slice(now).counts
            keys = [
                self._filed(slo, dimension, contributor)
                for slo in slos
                for dimension, contributor in zip(DIMENSIONS, cause, strict=True)
            ]
            for key in keys:
                counts[key] = counts.get(key, 0) + 1
                if trace_id:
                    self._traces[key].append(Trace(trace_id, now))
        return keys

    def since(self, moment: float) -> Past:
        """Return what was spent since a moment, in seconds since the epoch: to the minute in the last three hours."""
        with self._lock:
            slices = [each for each in (*self._hours, *self._minutes) if each.end > moment]
            length = MINUTE if moment >= self._clock() - _MINUTES_KEPT else HOUR
            begin = min([moment // length * length, *(each.begin for each in slices[:1])])
            summed: dict[Key, int] = {}
            for each in slices:
                for key, bad in each.counts.items():
                    summed[key] = summed.get(key, 0) + bad
            traces = {key: tuple(trace for trace in self._traces[key] if trace.at >= begin) for key in summed}
        found: dict[int, dict[str, list[Contribution]]] = {}
        for (slo, dimension, contributor), bad in summed.items():
            contribution = Contribution(contributor, bad, traces[slo, dimension, contributor][::-1])
            found.setdefault(slo, {}).setdefault(dimension, []).append(contribution)
        return Past(begin, {slo: ranked(of) for slo, of in found.items()})

    def _filed(self, slo: int, dimension: str, contributor: str) -> Key:
        known = self._known.setdefault((slo, dimension), set())
        if contributor not in known:
            if len(known) < CONTRIBUTORS_AT_MOST:
                known.add(contributor)
            else:
                contributor = OTHER
        key = (slo, dimension, contributor)
        if key not in self._traces:
            self._traces[key] = deque(maxlen=EXAMPLES)
        return key

    def _slice(self, now: float) -> _Slice:
        """Return the slice under way; a step back in time is part of it."""
        begin = int(now // MINUTE) * MINUTE
        if not self._minutes or begin > self._minutes[-1].begin:
            self._roll(begin)
            self._minutes.append(_Slice(begin, begin + MINUTE))
        return self._minutes[-1]

    def _roll(self, now: int) -> None:
        """Make hours of minutes that are old, and forget hours that nobody asks for."""
        while self._minutes and self._minutes[0].begin < (now - _MINUTES_KEPT) // HOUR * HOUR:
            self._age()
        while self._hours and self._hours[0].end <= now - _HOURS_KEPT:
            self._hours.popleft()
        entries = sum(len(each.counts) for each in (*self._hours, *self._minutes))
        while entries > ENTRIES_AT_MOST and self._minutes:
            entries -= self._age()
        while entries > ENTRIES_AT_MOST and len(self._hours) > 1:
            eldest = self._hours.popleft()
            entries -= eldest.take(self._hours.popleft())
            self._hours.appendleft(eldest)

    def _age(self) -> int:
        """Put the oldest minute into its hour; return how many entries that saves."""
        eldest = self._minutes.popleft()
        begin = eldest.begin // HOUR * HOUR
        if not self._hours or self._hours[-1].end <= begin:
            self._hours.append(_Slice(begin, begin + HOUR))
        return self._hours[-1].take(eldest)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._minutes: deque[_Slice] = deque()
        self._hours: deque[_Slice] = deque()
        self._known: dict[tuple[int, str], set[str]] = {}
        self._traces: dict[Key, deque[Trace]] = {}


def ranked(found: Mapping[str, Iterable[Contribution]]) -> Contributions:
    """Return contributions by dimension, the biggest first, in the order that dimensions are told."""
    return {
        dimension: tuple(sorted(found.get(dimension, ()), key=lambda each: (-each.bad, each.contributor)))
        for dimension in DIMENSIONS
    }


def _begin_anew(book: Book | None) -> None:
    """Begin anew, as a forked child does: what its parent has seen the parent tells."""
    if book is not None:
        book._begin()  # noqa: SLF001 - its own module
