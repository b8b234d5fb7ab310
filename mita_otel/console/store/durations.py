"""Counts of durations by exponential buckets: four a power of two, so that a quantile is off by 9 % at most."""

from collections.abc import Mapping
from math import log2
from struct import Struct
from typing import Final

PER_DOUBLING: Final = 4

_ENTRY: Final = Struct("<HI")
_BUCKETS: Final = 256
"""More than any duration of 64 bits needs."""


def bucket_of(duration: int) -> int:
    """Return the bucket of a duration in microseconds: the floor of 4 times its binary logarithm, 0 for 0."""
    return int(log2(duration) * PER_DOUBLING) if duration > 1 else 0


def bounds_of(bucket: int) -> tuple[float, float]:
    """Return the lowest duration of a bucket and that of the next, in microseconds."""
    return 2.0 ** (bucket / PER_DOUBLING), 2.0 ** ((bucket + 1) / PER_DOUBLING)


def pack(counts: Mapping[int, int]) -> bytes:
    """Return counts by bucket as they are stored in `minutes.buckets`; counts beyond 32 bits stay at the highest."""
    return b"".join(_ENTRY.pack(bucket, min(count, 0xFFFFFFFF)) for bucket, count in sorted(counts.items()))


def unpack(packed: bytes) -> dict[int, int]:
    """Return the counts by bucket that `pack` packed."""
    return dict(_ENTRY.iter_unpack(packed))


def unpack_sums(packed: bytes) -> dict[int, int]:
    """Return what counts add up to by bucket: `packed` is any number of what `pack` returned, one after the other."""
    sums = [0] * _BUCKETS
    for bucket, count in _ENTRY.iter_unpack(packed):
        sums[bucket] += count
    return {bucket: count for bucket, count in enumerate(sums) if count}
