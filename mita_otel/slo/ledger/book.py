"""What spent the budgets: bad events by what they were put down to, in minutes and hours, with traces to look at."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias
from weakref import ref

from opentelemetry.trace import SpanContext, format_trace_id

from mita_otel.slo.ledger.causes import DIMENSIONS, LONGEST, Cause
from mita_otel.slo.windows import DAY, HOUR, MINUTE

CONTRIBUTORS_AT_MOST: Final = 50
"""Contributors of one dimension and objective that are told apart: those that came first."""

OTHER: Final = "other"
"""All that came after them."""

EXAMPLES: Final = 3
"""Traces that are kept of a contributor: the newest."""

MIXES_AT_MOST: Final = 4_096
"""Causes that are told apart, of some 500 bytes each; beyond, all of a cause is `other`."""

ENTRIES_AT_MOST: Final = 50_000
"""Numbers that are kept, of some 100 bytes each; beyond, the oldest slices of time become one."""

_MINUTES_KEPT: Final = 3 * HOUR
_HOURS_KEPT: Final = 32 * DAY


class Example(NamedTuple):
    """A span to look at, and when its event was, in seconds since the epoch."""

    span: SpanContext
    at: float


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

Spent: TypeAlias = tuple[int, list[Example]]
"""Bad events, and examples of them."""


class _Mix:
    """Events of one cause, bad for the same objectives: `keys` is what each of them is written down under."""

    __slots__ = ("bad", "examples", "keys")

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.bad = 0
        self.keys = keys
        self.examples: deque[Example] = deque(maxlen=EXAMPLES)


class _Slice:
    """The bad events of some time; `end` is its first second that does not belong to it."""

    __slots__ = ("begin", "counts", "end")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.counts: dict[_Mix, int] = {}

    def take(self, other: "_Slice") -> int:
        """Add another one; return how many entries that saves."""
        before = len(self.counts) + len(other.counts)
        _add(self.counts, other.counts)
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

    Good events cost nothing; a bad one costs two additions under one lock, however many objectives it is bad for. What
    they have in common is sorted out when somebody asks.

    Args:
        clock: seconds since the epoch.
    """

    __slots__ = ("__weakref__", "_clock", "_hours", "_known", "_lock", "_minutes", "_mixes")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._begin()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def spend(self, slos: tuple[int, ...], cause: Cause, span: SpanContext | None = None) -> None:
        """Write down a bad event.

        Args:
            slos: places of the objectives whose budgets it spends.
            cause: what contributed to it.
            span: where it can be looked at.
        """
        now = self._clock()
        with self._lock:
            mix = self._mixes.get((slos, cause))
            if mix is None:
                mix = self._mixed(slos, cause)
            counts = self._slice(now).counts
            counts[mix] = counts.get(mix, 0) + 1
            mix.bad += 1
            if span is not None:
                mix.examples.append(Example(span, now))

    def since(self, moment: float) -> Past:
        """Return what was spent since a moment, in seconds since the epoch: to the minute in the last three hours."""
        with self._lock:
            slices = [each for each in (*self._hours, *self._minutes) if each.end > moment]
            summed: dict[_Mix, int] = {}
            for each in slices:
                _add(summed, each.counts)
            seen = [(mix.keys, bad, tuple(mix.examples)) for mix, bad in summed.items()]
        spent = _sorted_out(seen)
        length = MINUTE if moment >= self._clock() - _MINUTES_KEPT else HOUR
        begin = min([moment // length * length, *(each.begin for each in slices[:1])])
        found: dict[int, dict[str, list[Contribution]]] = {}
        for (slo, dimension, contributor), (bad, examples) in spent.items():
            contribution = Contribution(contributor, bad, _newest(examples, begin))
            found.setdefault(slo, {}).setdefault(dimension, []).append(contribution)
        return Past(begin, {slo: ranked(of) for slo, of in found.items()})

    def totals(self) -> Mapping[Key, Spent]:
        """Return all that was ever written down."""
        with self._lock:
            # No more than this under the lock: requests that go wrong wait for it.
            seen = [(mix.keys, mix.bad, tuple(mix.examples)) for mix in self._mixes.values()]
        return _sorted_out(seen)

    def _mixed(self, slos: tuple[int, ...], cause: Cause) -> _Mix:
        if len(self._mixes) >= MIXES_AT_MOST:
            cause = Cause(*(OTHER for _ in cause))
            known = self._mixes.get((slos, cause))
            if known is not None:
                return known
        named = [(dimension, word[:LONGEST]) for dimension, word in zip(DIMENSIONS, cause, strict=True)]
        mix = _Mix(tuple(self._filed(slo, dimension, word) for slo in slos for dimension, word in named))
        self._mixes[slos, cause] = mix
        return mix

    def _filed(self, slo: int, dimension: str, contributor: str) -> Key:
        known = self._known.setdefault((slo, dimension), set())
        if contributor not in known:
            if len(known) >= CONTRIBUTORS_AT_MOST:
                return slo, dimension, OTHER
            known.add(contributor)
        return slo, dimension, contributor

    def _slice(self, now: float) -> _Slice:
        """Return the slice under way; a step back in time is part of it."""
        if not self._minutes or now >= self._minutes[-1].end:
            begin = int(now // MINUTE) * MINUTE
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
        self._mixes: dict[tuple[tuple[int, ...], Cause], _Mix] = {}


def ranked(found: Mapping[str, Iterable[Contribution]]) -> Contributions:
    """Return contributions by dimension, the biggest first, in the order that dimensions are told."""
    return {
        dimension: tuple(sorted(found.get(dimension, ()), key=lambda each: (-each.bad, each.contributor)))
        for dimension in DIMENSIONS
    }


def _add(counts: dict[_Mix, int], more: Mapping[_Mix, int]) -> None:
    for mix, bad in more.items():
        counts[mix] = counts.get(mix, 0) + bad


def _sorted_out(seen: Iterable[tuple[tuple[Key, ...], int, tuple[Example, ...]]]) -> dict[Key, Spent]:
    found: dict[Key, Spent] = {}
    for keys, bad, examples in seen:
        for key in keys:
            before, known = found.get(key, (0, []))
            known.extend(examples)
            found[key] = before + bad, known
    return found


def _newest(examples: list[Example], begin: float) -> tuple[Trace, ...]:
    """Return the newest traces since a moment, each once."""
    ordered = sorted((each for each in examples if each.at >= begin), key=lambda each: -each.at)
    traces: dict[int, Trace] = {}
    for span, at in ordered:
        traces.setdefault(span.trace_id, Trace(format_trace_id(span.trace_id), at))
        if len(traces) == EXAMPLES:
            break
    return tuple(traces.values())


def _begin_anew(book: Book | None) -> None:
    """Begin anew, as a forked child does: what its parent has seen the parent tells."""
    if book is not None:
        book._begin()  # noqa: SLF001 - its own module
