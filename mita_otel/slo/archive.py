"""What was counted of all replicas, as it was read elsewhere: by the minute of late, by the hour before that."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from mita_otel.slo.counts import Cells
from mita_otel.slo.history import Past
from mita_otel.slo.windows import HOUR


class Slice(NamedTuple):
    """What came in a slice of time.

    Attributes:
        cells: good and bad events of the first objective, then of the second, and so on.
        watched: share of it that somebody counted in, 0 to 1.
    """

    cells: Cells
    watched: float


Counted: TypeAlias = tuple[Slice | None, int]
"""What came in a slice, None where nothing is known of it, and how many seconds that has."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Slices of two lengths.

    Attributes:
        size: number of objectives.
        source: where it was read.
        until: when it was complete, in seconds since the epoch.
        step: seconds of a fine slice, a divisor of an hour.
        fine: by number, the seconds since the epoch by `step`.
        fine_from: since when there are fine ones, in seconds since the epoch; the beginning of an hour.
        hours: by number; those since `fine_from` are the sums of their fine ones, where they are there.
        replicas: processes that it is of, 1 and more.
    """

    size: int
    source: str
    until: float
    step: int
    fine: Mapping[int, Slice]
    fine_from: int
    hours: Mapping[int, Slice]
    replicas: int = 1

    def since(self, moment: float, end: float | None = None) -> Past:
        """Return what came since the slice of a moment began, until the slice of another one begins.

        Args:
            moment: seconds since the epoch.
            end: seconds since the epoch; without it all that is there counts, the slice under way too.
        """
        last = int((self.until if end is None else min(end, self.until)) // self.step)
        # The slice under way says nothing of what is covered: it is not over.
        under_way = [] if end is not None else [(self.fine.get(last), self.step)]
        return self._past(list(self._over(moment, last)), under_way)

    def _over(self, moment: float, last: int) -> Iterator[Counted]:
        """Yield what came since a moment until a fine slice begins, whole hours as one where their sums are known."""
        in_an_hour = HOUR // self.step
        if moment < self.fine_from:
            for hour in range(int(moment // HOUR), self.fine_from // HOUR):
                yield self.hours.get(hour), HOUR
        slot = max(int(moment // self.step), self.fine_from // self.step)
        while slot < last:
            hour, within = divmod(slot, in_an_hour)
            if within == 0 and slot + in_an_hour <= last and hour in self.hours:
                yield self.hours[hour], HOUR
                slot += in_an_hour
            else:
                yield self.fine.get(slot), self.step
                slot += 1

    def _past(self, over: list[Counted], under_way: list[Counted]) -> Past:
        cells = sums((each.cells for each, _ in (*over, *under_way) if each is not None), 2 * self.size)
        first = next((place for place, (each, _) in enumerate(over) if each is not None), len(over))
        return Past(cells, _share(over), _share(over[first:]))


def _share(over: list[Counted]) -> float:
    watched = sum(length * each.watched for each, length in over if each is not None)
    return min(watched / sum(length for _, length in over), 1.0) if over else 1.0


def sums(rows: Iterable[Cells], width: int) -> Cells:
    """Return the sum of rows, column by column."""
    # Columns are added up in C: a month's 750 rows of 62 take a millisecond.
    return array("q", _columns(rows, width))


def _columns(rows: Iterable[Cells], width: int) -> Iterator[int]:
    columns = list(zip(*rows, strict=True))
    return map(sum, columns) if columns else iter([0] * width)
