"""The clients that are blocked most, in memory that does not grow with their number: the Space-Saving sketch.

Source: Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005.
"""

from collections.abc import Hashable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

TRACKED: Final = 50


class Frequent(NamedTuple, Generic[K]):
    """Something that occurs often.

    Attributes:
        key: what it is.
        at_least: how often it has occurred for certain.
        at_most: how often it can have occurred.
    """

    key: K
    at_least: int
    at_most: int


class Sketch(Generic[K]):
    """Counts the most frequent of any number of things.

    Whatever occurs more than `total / size` times is among those that are kept; no count is too low, and none is too
    high by more than `total / size`.

    Args:
        size: how many are kept.
    """

    __slots__ = ("_counts", "_size", "total")

    def __init__(self, size: int = TRACKED) -> None:
        self._size = size
        self._counts: dict[K, tuple[int, int]] = {}
        self.total = 0

    def add(self, key: K) -> None:
        """Count one occurrence; the least frequent thing makes room for a new one, which inherits its count."""
        self.total += 1
        known = self._counts.get(key)
        if known is not None:
            self._counts[key] = (known[0] + 1, known[1])
        elif len(self._counts) < self._size:
            self._counts[key] = (1, 0)
        else:
            least = min(self._counts, key=lambda each: self._counts[each][0])
            inherited, _ = self._counts.pop(least)
            self._counts[key] = (inherited + 1, inherited)

    def top(self, number: int = TRACKED) -> list[Frequent[K]]:
        """Return the most frequent, first the one that occurs most."""
        # A copy in one step, as it may be asked in another thread.
        found = [Frequent(key, count - excess, count) for key, (count, excess) in self._counts.copy().items()]
        return sorted(found, key=lambda each: each.at_most, reverse=True)[:number]
