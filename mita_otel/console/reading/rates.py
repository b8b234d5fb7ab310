"""What counters counted when: increases between data points, and their rates in buckets of time.

A counter's points are a stream for each start of counting, so that the points of a restarted process, or those of two
that share one series, are never subtracted from one another. What a stream counted between two of its points is spread
evenly over the time between. All times are microseconds since the epoch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

_SECOND: Final = 1_000_000
LONGEST_GAP: Final = 300 * _SECOND
"""Between two points; what was counted in a longer one is shown nowhere, unless the points always come so slowly."""
_USUAL_GAPS: Final = 3
_SOME_GAP: Final = 120 * _SECOND
"""How long a single point holds, when nothing tells how often they come."""


class Point(NamedTuple):
    """A data point of a sum; `start` is 0 where it is unknown, `value` None where the sender says that it has none."""

    time: int
    start: int
    value: float | None


class Increase(NamedTuple):
    """What was counted after `begin`, up to `end`; `before` is the point it was counted from, if it was."""

    begin: int
    end: int
    amount: float
    point: Point
    before: Point | None


@dataclass(frozen=True, slots=True)
class Buckets:
    """Stretches of time of one length: bucket i holds what is after `first + i * step`, up to the next.

    Attributes:
        first: when the first bucket begins.
        step: length of each, above 0.
        count: how many there are.
    """

    first: int
    step: int
    count: int

    @classmethod
    def covering(cls, start: int, end: int, step: int) -> "Buckets":
        """Return the buckets from a start to an end; they begin at multiples of the step and so stay in place."""
        first = start // step
        return cls(first * step, step, max(-(-end // step) - first, 1))

    @property
    def last(self) -> int:
        """When the last bucket ends."""
        return self.first + self.count * self.step

    @property
    def ends(self) -> range:
        """When the buckets end."""
        return range(self.first + self.step, self.last + 1, self.step)

    def index_of(self, time: int) -> int:
        """Return the bucket of a time; below 0 or beyond the last for times outside."""
        return -((self.first - time) // self.step) - 1

    def overlaps(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the buckets that a stretch of time, from after `begin` up to `end`, lies in, and for how long."""
        low = max(begin, self.first)
        high = min(end, self.last)
        while low < high:
            index = (low - self.first) // self.step
            next_ = min(self.first + (index + 1) * self.step, high)
            yield index, next_ - low
            low = next_


def cumulative(points: Sequence[Point], *, shortest_gap: int = 0) -> Iterator[Increase]:
    """Yield the increases between the points of a cumulative sum, given by time.

    A stream's first point counts from its start, if that is not long ago: who looks at a service that has just begun
    wants to see its first calls. A value that falls although counting did not start anew is a restart, too.

    Args:
        points: of one series.
        shortest_gap: what is no longer than this, in microseconds, is no gap.
    """
    streams: dict[int, list[Point]] = {}
    for point in points:
        streams.setdefault(point.start, []).append(point)
    for start, stream in streams.items():
        longest = max(_longest_gap(stream), shortest_gap)
        first = stream[0]
        if first.value is not None and start and 0 < first.time - start <= longest:
            yield Increase(start, first.time, first.value, first, None)
        for before, point in pairwise(stream):
            if before.value is None or point.value is None or point.time - before.time > longest:
                continue
            is_anew = point.value < before.value
            amount = point.value if is_anew else point.value - before.value
            yield Increase(before.time, point.time, amount, point, None if is_anew else before)


def delta(points: Sequence[Point]) -> Iterator[Increase]:
    """Yield the increases that the points of a delta sum, given by time, are."""
    before = 0
    for point in points:
        begin = point.start if 0 < point.start < point.time else before
        if point.value is not None and begin:
            yield Increase(begin, point.time, point.value, point, None)
        before = point.time


def _longest_gap(points: Sequence[Point]) -> int:
    if len(points) < 3:  # noqa: PLR2004 - two points are one gap, which tells nothing of what is usual
        return LONGEST_GAP
    usual = median(after.time - before.time for before, after in pairwise(points))
    return max(LONGEST_GAP, int(usual) * _USUAL_GAPS)


def rates(increases: Iterable[Increase], buckets: Buckets) -> list[float | None]:
    """Return the rate a second in each bucket: the mean over the time in it that increases cover, None if none does."""
    amounts = [0.0] * buckets.count
    covered = [0] * buckets.count
    for begin, end, amount, _, _ in increases:
        length = end - begin
        for index, part in buckets.overlaps(begin, end):
            amounts[index] += amount * part / length
            covered[index] += part
    # Streams of one series overlap when two senders share it: then both counted in the same time.
    return [
        None if not length else amount / min(length, buckets.step) * _SECOND
        for amount, length in zip(amounts, covered, strict=True)
    ]


def latest(points: Sequence[Point], buckets: Buckets) -> list[float | None]:
    """Return the value at the end of each bucket: that of the last point by then, unless it is too old to hold still.

    Args:
        points: of a gauge or another value that stands until the next one comes, by time.
        buckets: of which the ends count.
    """
    times = [point.time for point in points]
    usual = median(after - before for before, after in pairwise(times)) if len(times) > 1 else _SOME_GAP / 2
    holds = min(max(2 * usual, buckets.step), LONGEST_GAP + buckets.step)
    values: list[float | None] = []
    at = -1
    for end in buckets.ends:
        while at + 1 < len(points) and times[at + 1] <= end:
            at += 1
        values.append(points[at].value if at >= 0 and end - times[at] < holds else None)
    return values
