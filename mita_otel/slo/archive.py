"""What was counted of all replicas, as it was read elsewhere: by the minute of late, by the hour before that."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

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
        hours: by number; those since `fine_from` are not looked at.
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
        hour, fine = self._slots(moment)
        beyond = last + 1 if end is None else last
        held = [self.hours.get(slot) for slot in range(hour, self._first_fine_hour)]
        short = [self.fine.get(slot) for slot in range(fine, beyond)]
        lengths = [*([HOUR] * len(held)), *([self.step] * len(short))]
        return self._past([*held, *short], lengths, under_way=int(end is None))

    @property
    def _first_fine_hour(self) -> int:
        return self.fine_from // HOUR

    def _slots(self, moment: float) -> tuple[int, int]:
        """Return the first hour and the first fine slice that belong to what came since a moment."""
        if moment >= self.fine_from:
            return self._first_fine_hour, int(moment // self.step)
        return int(moment // HOUR), self.fine_from // self.step

    def _past(self, slices: list[Slice | None], lengths: list[int], *, under_way: int) -> Past:
        cells = sums((each.cells for each in slices if each is not None), 2 * self.size)
        # The slice under way says nothing of what is covered: it is not over.
        over, spans = slices[: len(slices) - under_way], lengths[: len(slices) - under_way]
        watched = [span * each.watched if each is not None else 0.0 for each, span in zip(over, spans, strict=True)]
        first = next((place for place, each in enumerate(over) if each is not None), len(over))
        return Past(cells, _share(watched, spans), _share(watched[first:], spans[first:]))


def _share(watched: list[float], spans: list[int]) -> float:
    return min(sum(watched) / sum(spans), 1.0) if spans else 1.0


def sums(rows: Iterable[Cells], width: int) -> Cells:
    """Return the sum of rows, column by column."""
    # Columns are added up in C: a month's 750 rows of 62 take a millisecond.
    return array("q", _columns(rows, width))


def _columns(rows: Iterable[Cells], width: int) -> Iterator[int]:
    columns = list(zip(*rows, strict=True))
    return map(sum, columns) if columns else iter([0] * width)
