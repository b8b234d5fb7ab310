"""Events of an objective over time: what its good and its bad series counted between moments, added up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from mita_otel.console.reading.growth import Growth, Lump, Watch, coverage
from mita_otel.slo.alerts import Window
from mita_otel.slo.budget import Count

GOOD: Final = "good"
BAD: Final = "bad"


class Sum:
    """What several series counted.

    Args:
        moments: in the order of time; amounts are of what lies between them.
    """

    __slots__ = ("_lumps", "_places", "_until")

    def __init__(self, moments: Sequence[int], growths: Iterable[Growth]) -> None:
        those = list(growths)
        self._places = {moment: place for place, moment in enumerate(moments)}
        self._lumps = [lump for growth in those for lump in growth.lumps]
        amounts: list[float] = [sum(at) for at in zip(*(growth.amounts for growth in those), strict=True)]
        self._until: list[float] = [0.0, *accumulate(amounts or [0.0] * (len(moments) - 1))]

    def between(self, begin: int, end: int) -> float:
        """Return what was counted after one of the moments, up to another one.

        What was counted before anybody heard of it counts where it began within; evenly, where it ended beyond.
        """
        earlier: float = sum([_part(lump, end) for lump in self._lumps if lump.start >= begin])
        return self._until[self._places[end]] - self._until[self._places[begin]] + earlier


def _part(lump: Lump, end: int) -> float:
    if end >= lump.heard:
        return lump.amount
    return lump.amount * (end - lump.start) / (lump.heard - lump.start) if end > lump.start else 0.0


@dataclass(slots=True)
class Counted:
    """Events of one objective of one service.

    Attributes:
        moments: in the order of time, between which they were counted; the last one is now.
        growths: of its series, by their outcome.
    """

    moments: Sequence[int]
    growths: dict[str, list[Growth]] = field(default_factory=dict)
    _sums: dict[str, Sum] = field(default_factory=dict)

    def add(self, growth: Growth) -> None:
        """Take in one more series."""
        self.growths.setdefault(growth.series.labels.get("outcome", ""), []).append(growth)

    def bad(self, begin: int, ends: Iterable[int]) -> list[float]:
        """Return the bad events after one of the moments, up to each of some others."""
        total = self._sum(BAD)
        return [total.between(begin, end) for end in ends]

    def count(self, begin: int, end: int | None = None) -> Count:
        """Return the events after one of the moments, up to another one or until now."""
        last = self.moments[-1] if end is None else end
        return Count(self._sum(GOOD).between(begin, last), self._sum(BAD).between(begin, last))

    def window(self, begin: int, end: int | None = None) -> Window:
        """Return the events of a window, and the share of it that was watched."""
        last = self.moments[-1] if end is None else end
        return Window(self.count(begin, last), coverage(self.watched, begin, last))

    @property
    def watched(self) -> list[Watch]:
        """When anybody counted."""
        return [watch for those in self.growths.values() for growth in those for watch in growth.watched]

    @property
    def heard(self) -> int:
        """When it was heard of last."""
        return max((growth.series.last.time for those in self.growths.values() for growth in those), default=0)

    def _sum(self, outcome: str) -> Sum:
        if outcome not in self._sums:
            self._sums[outcome] = Sum(self.moments, self.growths.get(outcome, []))
        return self._sums[outcome]
