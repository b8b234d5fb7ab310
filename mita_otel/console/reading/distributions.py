"""What histograms recorded between two points, summed over series: distributions of which quantiles are taken."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add, sub
from typing import Final, NamedTuple

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint

from mita_otel.console.reading.quantiles import Exponential, explicit_quantile
from mita_otel.console.store.wire import HistogramDataPoint

_COARSEST: Final = -11
"""The scale at which all doubles above 0 lie in two buckets; coarser ones say nothing else."""


class Explicit(NamedTuple):
    """How a histogram with explicit buckets counts: by upper bounds, packed as OTLP does; the last bucket has none."""

    bounds: bytes

    def read(self) -> Sequence[float]:
        """Return the bounds."""
        return _unpacked("d", self.bounds)


class Scaled(NamedTuple):
    """How an exponential histogram counts: zeros, then positive and negative buckets from an index on, so many."""

    scale: int
    zero_threshold: float
    positive: int
    positives: int
    negative: int
    negatives: int


Layout = Explicit | Scaled


class Counts(NamedTuple):
    """What a point counted, in the order of its layout."""

    layout: Layout
    counts: Sequence[float]


Recorded = Counts | Exponential


@dataclass(slots=True)
class Distribution:
    """Values that were recorded: sums of counts by layout, and what was written in changing layouts."""

    counts: dict[Layout, Sequence[float]] = field(default_factory=dict)
    changing: list[Exponential] = field(default_factory=list)

    def add(self, recorded: Recorded, part: float = 1.0) -> None:
        """Add what was recorded, or a part of it."""
        if isinstance(recorded, Exponential):
            self.changing.append(Exponential(recorded.scale))
            self.changing[-1].add(recorded, part)
            return
        layout, counts = recorded
        if part != 1:
            counts = [count * part for count in counts]
        own = self.counts.get(layout)
        self.counts[layout] = counts if own is None else list(map(add, own, counts))

    def quantile(self, share: float) -> float | None:
        """Return a quantile, None if nothing was recorded; `share` is 0 to 1.

        Where bounds differ, only those count that all have; where scales do, the coarsest.
        """
        explicit = [(layout.read(), counts) for layout, counts in self.counts.items() if isinstance(layout, Explicit)]
        if len(explicit) == 1:
            return explicit_quantile(share, *explicit[0])
        return explicit_quantile(share, *_in_common(explicit)) if explicit else self._joined().quantile(share)

    def _joined(self) -> Exponential:
        scaled = [_exponential(layout, counts) for layout, counts in self.counts.items() if isinstance(layout, Scaled)]
        joined, *others = [*scaled, *self.changing]
        if others:
            joined = Exponential(joined.scale)
            for each in (*scaled, *self.changing):
                joined.add(each)
        return joined


def _in_common(histograms: Sequence[tuple[Sequence[float], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Return the bounds that all of some histograms have, and the counts of all between these."""
    bounds = sorted(set.intersection(*(set(own) for own, _ in histograms))) if histograms else []
    sums = [0.0] * (len(bounds) + 1)
    for own, counts in histograms:
        up_to = dict(zip(own, accumulate(counts), strict=False))
        before = 0.0
        for index, reached in enumerate([*(up_to[bound] for bound in bounds), sum(counts)]):
            sums[index] += reached - before
            before = reached
    return bounds, sums


def _exponential(layout: Scaled, counts: Sequence[float]) -> Exponential:
    positive = enumerate(counts[1 : layout.positives + 1], layout.positive)
    negative = enumerate(counts[layout.positives + 1 :], layout.negative)
    scale = max(layout.scale, _COARSEST)
    return Exponential(scale, counts[0], layout.zero_threshold, dict(positive), dict(negative))


def explicit_counts(body: bytes) -> Counts | None:
    """Return what a point of an explicit histogram counted, None if it has no buckets, which is allowed.

    Args:
        body: the point, as the store has serialized it.
    """
    point = HistogramDataPoint.FromString(body)
    bounds, counts = point.explicit_bounds, point.bucket_counts
    return Counts(Explicit(bounds), _unpacked("Q", counts)) if len(counts) == len(bounds) + 8 else None


def _unpacked(kind: str, packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 8}{kind}", packed)


def scaled_counts(body: bytes) -> Counts:
    """Return what a serialized point of an exponential histogram counted."""
    point = ExponentialHistogramDataPoint.FromString(body)
    above, below = point.positive, point.negative
    positive, negative = above.bucket_counts[:], below.bucket_counts[:]
    layout = Scaled(point.scale, point.zero_threshold, above.offset, len(positive), below.offset, len(negative))
    return Counts(layout, [point.zero_count, *positive, *negative])


def difference(after: Counts, before: Counts | None) -> Recorded:
    """Return what was recorded between two points; without an earlier one, up to the later.

    A count may be below 0 where the sender is at fault; quantiles take it for 0.
    """
    if before is None:
        return after
    if after.layout == before.layout:
        return Counts(after.layout, list(map(sub, after.counts, before.counts)))
    if isinstance(after.layout, Scaled) and isinstance(before.layout, Scaled):
        grown = _exponential(after.layout, after.counts)
        grown.add(_exponential(before.layout, before.counts), -1.0)
        return grown
    return after  # the bounds were changed, so that it began anew
