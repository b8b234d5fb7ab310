"""Quantiles of histograms, by the rules of Prometheus: within a bucket values are taken to be spread evenly.

In an explicit bucket evenly along the value, in an exponential one along its logarithm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf, isinf, log2

from mita_otel.console.store.durations import bounds_of

Bucket = tuple[float, float, float]
"""Lower bound, upper bound, count."""


def explicit_quantile(share: float, bounds: Sequence[float], counts: Sequence[float]) -> float | None:
    """Return a quantile of an explicit histogram, None if it is empty.

    As `histogram_quantile`: the first bucket begins at 0 if it ends above; beyond the last bound, that is the answer.

    Args:
        share: 0 to 1.
        bounds: upper bounds of all buckets but the last, ascending.
        counts: one more than there are bounds; need not be whole, and below 0 count as 0.
    """
    if any(count < 0 for count in counts):
        counts = [max(count, 0) for count in counts]
    total = sum(counts)
    if total <= 0 or not bounds or len(counts) != len(bounds) + 1:
        return None
    rank = share * total
    index = next((index for index, sum_ in enumerate(accumulate(counts)) if sum_ >= rank and sum_ > 0), len(bounds))
    # Counts that are not whole may add up to a little less than their sum.
    if index == len(bounds):
        return bounds[-1]
    upper = bounds[index]
    if index == 0 and upper <= 0:
        return upper
    lower = bounds[index - 1] if index else 0.0
    before = sum(counts[:index])
    return lower + (upper - lower) * (rank - before) / counts[index] if counts[index] else lower


def bucketed_quantile(share: float, buckets: Iterable[Bucket]) -> float | None:
    """Return a quantile of buckets in ascending order, None if all are empty.

    Within a bucket around or beside 0, values are spread evenly, else evenly along their logarithm.
    """
    filled = [bucket for bucket in buckets if bucket[2] > 0]
    rank = share * sum(count for _, _, count in filled)
    before = 0.0
    for place, (lower, upper, count) in enumerate(filled, 1):
        if before + count >= rank or place == len(filled):
            return _within(lower, upper, min(max((rank - before) / count, 0.0), 1.0))
        before += count
    return None


def _within(lower: float, upper: float, part: float) -> float:
    if isinf(upper):
        return lower
    if isinf(lower):
        return upper
    if lower <= 0 <= upper:
        return lower + (upper - lower) * part
    if lower < 0:
        return -_within(-upper, -lower, 1 - part)
    return float(2 ** (log2(lower) + (log2(upper) - log2(lower)) * part))


def duration_quantile(share: float, counts: Mapping[int, float]) -> float | None:
    """Return a quantile of durations counted as in the store's `durations`, in microseconds."""
    buckets = (
        (0.0 if index == 0 else bounds_of(index)[0], bounds_of(index)[1], counts[index]) for index in sorted(counts)
    )
    return bucketed_quantile(share, buckets)


@dataclass(slots=True)
class Exponential:
    """The counts of an exponential histogram; they need not be whole.

    Attributes:
        scale: buckets grow by a factor of 2 ** 2 ** -scale.
        zeros: values that count as zero.
        zero_threshold: up to where they do.
        positive: counts by index; bucket i holds values above base ** i, up to base ** (i + 1).
        negative: the same for the absolute values of negative ones.
    """

    scale: int
    zeros: float = 0.0
    zero_threshold: float = 0.0
    positive: dict[int, float] = field(default_factory=dict)
    negative: dict[int, float] = field(default_factory=dict)

    def add(self, other: "Exponential", part: float = 1.0) -> None:
        """Add the counts of another, or a part of them; the coarser scale of both stays."""
        self.coarsen(other.scale)
        self.zeros += other.zeros * part
        self.zero_threshold = max(self.zero_threshold, other.zero_threshold)
        shift = other.scale - self.scale
        for own, others in ((self.positive, other.positive), (self.negative, other.negative)):
            for index, count in others.items():
                own[index >> shift] = own.get(index >> shift, 0.0) + count * part

    def coarsen(self, scale: int) -> None:
        """Join buckets until the scale is at most this."""
        shift = self.scale - scale
        if shift <= 0:
            return
        self.scale = scale
        self.positive = _joined(self.positive, shift)
        self.negative = _joined(self.negative, shift)

    def quantile(self, share: float) -> float | None:
        """Return a quantile, None if there are no values; `share` is 0 to 1."""
        positive = [(*self._bounds(index), self.positive[index]) for index in sorted(self.positive)]
        negative = [(*self._bounds(index), self.negative[index]) for index in sorted(self.negative, reverse=True)]
        lowest = -self.zero_threshold if negative else 0.0
        zeros = (lowest, self.zero_threshold if positive else 0.0, self.zeros)
        return bucketed_quantile(
            share, [*((-upper, -lower, count) for lower, upper, count in negative), zeros, *positive]
        )

    def _bounds(self, index: int) -> tuple[float, float]:
        return _power(self.scale, index), _power(self.scale, index + 1)


def _joined(counts: Mapping[int, float], shift: int) -> dict[int, float]:
    joined: dict[int, float] = {}
    for index, count in counts.items():
        joined[index >> shift] = joined.get(index >> shift, 0.0) + count
    return joined


def _power(scale: int, index: int) -> float:
    try:
        return float(2.0 ** (index * 2.0**-scale))
    except OverflowError:
        return inf
