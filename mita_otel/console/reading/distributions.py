"""What histograms recorded between two points, summed over series: distributions of which quantiles are taken."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import ExponentialHistogramDataPoint, HistogramDataPoint

from mita_otel.console.reading.quantiles import Exponential, explicit_quantile

_COARSEST = -11
"""The scale at which all doubles above 0 lie in two buckets; coarser ones say nothing else."""


@dataclass(slots=True)
class Distribution:
    """Values that were recorded; explicit buckets by their bounds, exponential ones in one scale."""

    explicit: dict[tuple[float, ...], list[float]] = field(default_factory=dict)
    exponential: Exponential | None = None

    def add(self, other: "Distribution", part: float = 1.0) -> None:
        """Add another, or a part of it."""
        for bounds, counts in other.explicit.items():
            own = self.explicit.get(bounds)
            if own is None:
                self.explicit[bounds] = [count * part for count in counts]
            else:
                self.explicit[bounds] = [mine + count * part for mine, count in zip(own, counts, strict=True)]
        if other.exponential:
            if self.exponential is None:
                self.exponential = Exponential(other.exponential.scale)
            self.exponential.add(other.exponential, part)

    def quantile(self, share: float) -> float | None:
        """Return a quantile, None if nothing was recorded; `share` is 0 to 1.

        Where bounds differ, only those count that all have.
        """
        if self.exponential:
            return self.exponential.quantile(share)
        if len(self.explicit) == 1:
            ((bounds, counts),) = self.explicit.items()
            return explicit_quantile(share, bounds, counts)
        return explicit_quantile(share, *self._in_common())

    def _in_common(self) -> tuple[list[float], list[float]]:
        if not self.explicit:
            return [], []
        bounds = sorted(set.intersection(*(set(own) for own in self.explicit)))
        sums = [0.0] * (len(bounds) + 1)
        for own, counts in self.explicit.items():
            up_to = dict(zip(own, accumulate(counts), strict=False))
            before = 0.0
            for index, reached in enumerate([*(up_to[bound] for bound in bounds), sum(counts)]):
                sums[index] += reached - before
                before = reached
        return bounds, sums


def explicit_of(body: bytes, before: bytes | None) -> Distribution:
    """Return what an explicit histogram recorded between two of its points, serialized, or up to one if it is alone."""
    point = HistogramDataPoint.FromString(body)
    bounds = tuple(point.explicit_bounds)
    counts: list[float] = list(point.bucket_counts)
    if len(counts) != len(bounds) + 1:
        return Distribution()  # without buckets, which is allowed
    if before is not None:
        earlier = HistogramDataPoint.FromString(before)
        if tuple(earlier.explicit_bounds) == bounds and len(earlier.bucket_counts) == len(counts):
            counts = [max(count - less, 0) for count, less in zip(counts, earlier.bucket_counts, strict=True)]
    return Distribution({bounds: counts})


def exponential_of(body: bytes, before: bytes | None) -> Distribution:
    """Return what an exponential histogram recorded between two of its points; see `explicit_of`."""
    counts = _counts_of(body)
    if before is not None:
        earlier = _counts_of(before)
        counts.coarsen(earlier.scale)
        counts.add(earlier, -1.0)
        counts.zeros = max(counts.zeros, 0.0)
        counts.positive = {index: count for index, count in counts.positive.items() if count > 0}
        counts.negative = {index: count for index, count in counts.negative.items() if count > 0}
    return Distribution(exponential=counts)


def _counts_of(body: bytes) -> Exponential:
    point = ExponentialHistogramDataPoint.FromString(body)
    return Exponential(
        scale=max(point.scale, _COARSEST),
        zeros=float(point.zero_count),
        zero_threshold=point.zero_threshold,
        positive=dict(_indexed(point.positive)),
        negative=dict(_indexed(point.negative)),
    )


def _indexed(buckets: Any) -> Iterator[tuple[int, float]]:
    return ((index, float(count)) for index, count in enumerate(buckets.bucket_counts, buckets.offset) if count)
