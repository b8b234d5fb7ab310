"""What services measured of themselves: values that stand now, and what was counted within a stretch of time.

A value is read by seeking a series' newest points, not by reading all of its points: however long a service has been
running, each series costs a few steps in an index. All times are microseconds since the epoch.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from mita_otel.console.reading.distributions import Counts, Distribution, difference, explicit_counts
from mita_otel.console.reading.instruments import read_attributes

SERIES_LIMIT: Final = 2_000
"""Series of an instrument that are read, the newest of them."""
HOLDS: Final = 150_000_000
"""How much older than a service's newest point a value may be at most and still stand: two exports a minute apart, and
some. What is older is a process's that has ended. Where points come more often, it is as many times their distance."""
_HOLDS_AT_LEAST: Final = 10_000_000
_DISTANCES: Final = 2.5
_LONGEST_LABELS: Final = 4_096
"""Bytes of a series' attributes; what is longer is none of ours."""
_DELTA: Final = 1

_POINT: Final = "time, start, value, iif(length(body) > 65536, NULL, body)"
_LAST: Final = f"SELECT {_POINT} FROM points WHERE series = ? AND time <= ? ORDER BY time DESC LIMIT 1"  # noqa: S608 - a constant
_ALL: Final = f"SELECT {_POINT} FROM points WHERE series = ? AND time > ? AND time <= ?"  # noqa: S608 - as above
_STREAMS: Final = (
    "SELECT start, min(time), max(time) FROM points WHERE series = ? AND time > ? AND time <= ? GROUP BY 1"
)
_SERIES: Final = """
WITH chosen AS MATERIALIZED (
    SELECT s.id, i.service, i.temporality, s.attributes FROM instruments i JOIN series s ON s.instrument = i.id
    WHERE i.name = :name AND (:service = '' OR i.service = :service) AND length(s.attributes) <= :longest
    ORDER BY s.id DESC LIMIT :limit
)
SELECT c.id, c.service, c.temporality, c.attributes,
(SELECT max(time) FROM points WHERE series = c.id AND time < p.time), p.time, p.start, p.value
FROM chosen c CROSS JOIN points p ON p.series = c.id
AND p.time = (SELECT max(time) FROM points WHERE series = c.id AND time <= :end)
"""


class Value(NamedTuple):
    """A value of one series; `time` is that of its point."""

    service: str
    labels: dict[str, str]
    value: float
    time: int


class _Point(NamedTuple):
    time: int
    start: int
    value: float | None
    body: bytes | None = None


class _Series(NamedTuple):
    id: int
    service: str
    temporality: int
    labels: dict[str, str]
    previous: int | None
    last: _Point

    @property
    def holds(self) -> float:
        """For how long after its last point a value stands beside newer ones of other processes."""
        if self.previous is None:
            return HOLDS
        return min(max((self.last.time - self.previous) * _DISTANCES, _HOLDS_AT_LEAST), HOLDS)


@dataclass(frozen=True, slots=True)
class Figures:
    """Reads instruments by their names.

    Attributes:
        connection: to read from.
        start: when the stretch of time begins.
        end: when it ends.
        service: the only one that is meant; empty for all.
    """

    connection: sqlite3.Connection
    start: int
    end: int
    service: str = ""

    def now(self, name: str) -> list[Value]:
        """Return the values of a gauge that stand, one for each process; of a service that is gone, its last ones."""
        found = [series for series in self._series(name) if series.last.value is not None]
        newest: dict[str, int] = {}
        for series in found:
            newest[series.service] = max(newest.get(series.service, 0), series.last.time)
        return [
            Value(series.service, series.labels, series.last.value or 0.0, series.last.time)
            for series in found
            if newest[series.service] - series.last.time <= series.holds
        ]

    def grown(self, name: str) -> Iterator[Value]:
        """Yield what each series of a counter counted within the stretch of time, zeros included."""
        for series in self._series(name):
            amount = sum(_amount(before, after) for before, after in self._growths(series))
            yield Value(series.service, series.labels, amount, series.last.time)

    def recorded(self, name: str, label: str) -> dict[tuple[str, str], Distribution]:
        """Return what a histogram with explicit buckets recorded within the stretch of time.

        Distributions are by service and the value of a label; there is none where nothing was recorded.
        """
        found: dict[tuple[str, str], Distribution] = {}
        for series in self._series(name):
            for before, after in self._growths(series):
                counted = _counts(after)
                if counted and _amount(before, after) > 0:
                    key = (series.service, series.labels.get(label, ""))
                    found.setdefault(key, Distribution()).add(difference(counted, _counts(before)))
        return found

    def _series(self, name: str) -> list[_Series]:
        """Return the series of an instrument that have points, with the last one."""
        asked = {
            "end": self.end,
            "name": name,
            "service": self.service,
            "limit": SERIES_LIMIT,
            "longest": _LONGEST_LABELS,
        }
        return [
            _Series(id_, service, temporality, read_attributes(attributes), previous, _Point(*point))
            for id_, service, temporality, attributes, previous, *point in self.connection.execute(
                _SERIES, asked
            ).fetchall()
        ]

    def _growths(self, series: _Series) -> Iterator[tuple[_Point | None, _Point]]:
        """Yield points between which all of the stretch was counted: what stood before, None for nothing, and after."""
        if series.last.time <= self.start:
            return
        if series.temporality == _DELTA:
            found = self.connection.execute(_ALL, (series.id, self.start, self.end)).fetchall()
            yield from ((None, _Point._make(row)) for row in found)
            return
        before, last = self._at(series.id, self.start), self._at(series.id, series.last.time)
        if last and before and before.start == last.start and (last.value or 0.0) >= (before.value or 0.0):
            yield before, last
            return
        yield from self._streams(series.id, before)

    def _streams(self, series: int, before: _Point | None) -> Iterator[tuple[_Point | None, _Point]]:
        """Yield the growths of a series that was counted anew within the stretch, one for each start of counting."""
        for start, first, newest in self.connection.execute(_STREAMS, (series, self.start, self.end)).fetchall():
            after = self._at(series, newest)
            if after is None:
                continue
            stood = before if before and before.start == start else None
            if stood is None and start <= self.start:  # what it had counted before anybody heard of it is not meant
                stood = self._at(series, first)
            yield stood if stood and (stood.value or 0.0) <= (after.value or 0.0) else None, after  # it began anew

    def _at(self, series: int, until: int) -> _Point | None:
        found = self.connection.execute(_LAST, (series, until)).fetchone()
        return _Point._make(found) if found else None


def _amount(before: _Point | None, after: _Point) -> float:
    return (after.value or 0.0) - ((before.value or 0.0) if before else 0.0)


def _counts(point: _Point | None) -> Counts | None:
    return explicit_counts(point.body) if point and point.body else None


Tally = dict[str, float]
"""Sums by what they are of, such as a state."""


def by(values: Iterable[Value], name: str, *, label: str = "") -> dict[tuple[str, str], Tally]:
    """Return sums of values over processes, by service and the value of the label `name`.

    Args:
        values: to be added up.
        name: a label whose value names a thing, such as a breaker.
        label: whose values tell the sums of a thing from one another; without it there is one, under an empty text.
    """
    found: dict[tuple[str, str], Tally] = {}
    for service, labels, value, _ in values:
        tally = found.setdefault((service, labels.get(name, "")), {})
        key = labels.get(label, "")
        tally[key] = tally.get(key, 0.0) + value
    return found
