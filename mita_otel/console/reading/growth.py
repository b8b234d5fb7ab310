"""What counters counted between moments: of all series in a few questions, however many series and moments there are.

A value is found by seeking a series' last point before a moment; the points between are not read. Only where counting
began anew between two moments are they looked through. A series is of one process after the other, never of two at
once: ours have an instance id each. All times are microseconds since the epoch.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import orjson

from mita_otel.console.reading.instruments import read_attributes

SERIES_LIMIT: Final = 2_000
"""Series of a counter that are read, the newest of them."""
_LONGEST_LABELS: Final = 4_096
"""Bytes of a series' attributes; what is longer is none of ours."""
_DELTA: Final = 1

_SERIES: Final = """
WITH chosen AS MATERIALIZED (
    SELECT s.id, i.service, i.temporality, s.attributes FROM instruments i JOIN series s ON s.instrument = i.id
    WHERE i.name = :name AND (:service = '' OR i.service = :service) AND length(s.attributes) <= :longest
    AND instr(s.attributes, :part) > 0 ORDER BY s.id DESC LIMIT :limit
)
SELECT c.id, c.service, c.temporality, c.attributes,
f.time, f.start, coalesce(f.value, 0.0), l.time, l.start, coalesce(l.value, 0.0) FROM chosen c
CROSS JOIN points f ON f.series = c.id AND f.time = (SELECT min(time) FROM points WHERE series = c.id)
CROSS JOIN points l ON l.series = c.id
AND l.time = (SELECT max(time) FROM points WHERE series = c.id AND time <= :end)
"""
_MARKS: Final = """
WITH lives AS MATERIALIZED (
    SELECT json_extract(value, '$[0]') AS series, json_extract(value, '$[1]') AS first,
    json_extract(value, '$[2]') AS last FROM json_each(:lives)
), moments AS MATERIALIZED (SELECT key, value FROM json_each(:moments))
SELECT l.series, m.key, p.time, p.start, coalesce(p.value, 0.0) FROM lives l
CROSS JOIN moments m ON m.value >= l.first AND m.value < l.last
CROSS JOIN points p ON p.series = l.series
AND p.time = (SELECT max(time) FROM points WHERE series = l.series AND time <= m.value)
"""
_STREAMS: Final = """
WITH asked AS MATERIALIZED (
    SELECT key, json_extract(value, '$[0]') AS series, json_extract(value, '$[1]') AS low,
    json_extract(value, '$[2]') AS high FROM json_each(:asked)
), streams AS MATERIALIZED (
    SELECT a.key, a.series, p.start, min(p.time) AS first, max(p.time) AS last FROM asked a
    CROSS JOIN points p ON p.series = a.series AND p.time > a.low AND p.time <= a.high GROUP BY 1, 2, 3
)
SELECT s.key, f.time, f.start, coalesce(f.value, 0.0), l.time, l.start, coalesce(l.value, 0.0) FROM streams s
CROSS JOIN points f ON f.series = s.series AND f.time = s.first
CROSS JOIN points l ON l.series = s.series AND l.time = s.last ORDER BY s.key, s.first
"""
_DELTAS: Final = """
WITH moments AS MATERIALIZED (
    SELECT key, json_extract(value, '$[0]') AS low, json_extract(value, '$[1]') AS high FROM json_each(:stretches)
)
SELECT s.value, m.key, sum(p.value), min(iif(p.start BETWEEN 1 AND p.time, p.start, p.time)), max(p.time)
FROM json_each(:series) s CROSS JOIN moments m
CROSS JOIN points p ON p.series = s.value AND p.time > m.low AND p.time <= m.high GROUP BY 1, 2
"""


class Point(NamedTuple):
    """A data point of a counter."""

    time: int
    start: int
    value: float


class Series(NamedTuple):
    """A series of a counter, with its first point and its last one."""

    id: int
    service: str
    temporality: int
    labels: Mapping[str, str]
    first: Point
    last: Point


class Lump(NamedTuple):
    """What had been counted since `start` when it was `heard` of first: nobody knows when in between."""

    start: int
    heard: int
    amount: float


class Watch(NamedTuple):
    """A stretch of time whose counts are known: in all from `begin`, and moment by moment from `heard`, to `end`."""

    begin: int
    heard: int
    end: int


@dataclass(slots=True)
class Growth:
    """What a series counted.

    Attributes:
        series: that counted it.
        amounts: what it counted after each moment, up to the next one.
        lumps: what it had counted, since the first moment, before it was heard of; not in `amounts`.
        watched: when it counted.
    """

    series: Series
    amounts: list[float]
    lumps: list[Lump] = field(default_factory=list)
    watched: list[Watch] = field(default_factory=list)


def series_of(
    connection: sqlite3.Connection, name: str, end: int, *, service: str = "", labels: Mapping[str, str] | None = None
) -> list[Series]:
    """Return the series of a counter that have points.

    Args:
        connection: to read from.
        name: of the counter.
        end: what came later is not meant.
        service: the only one that is meant; empty for all.
        labels: at most one, which series must have.
    """
    asked = {
        "name": name,
        "end": end,
        "service": service,
        "part": orjson.dumps(labels or {})[1:-1].decode(),
        "longest": _LONGEST_LABELS,
        "limit": SERIES_LIMIT,
    }
    found = []
    for id_, its_service, temporality, attributes, *points in connection.execute(_SERIES, asked).fetchall():
        read = read_attributes(attributes)
        if (labels or {}).items() <= read.items():
            found.append(Series(id_, its_service, temporality, read, Point._make(points[:3]), Point._make(points[3:])))
    return found


def growths(connection: sqlite3.Connection, series: Iterable[Series], moments: Sequence[int]) -> Iterator[Growth]:
    """Yield what each series counted between moments, of which there are two at least, in the order of time."""
    those = [each for each in series if each.last.time > moments[0]]
    cumulative = [each for each in those if each.temporality != _DELTA]
    yield from _deltas(connection, [each for each in those if each.temporality == _DELTA], moments)
    marks = _marks(connection, cumulative, moments)
    anew = [
        (each, index)
        for each in cumulative
        for index in range(1, len(moments))
        if _is_anew(each, marks[each.id], index)
    ]
    streams = _streams(connection, anew, marks)
    for each in cumulative:
        yield _Walk(each, moments[0]).over(marks[each.id], streams)


_Marks = list[Point | None]
"""The last point of a series at each moment, None where there is none yet."""


def _marks(connection: sqlite3.Connection, series: Sequence[Series], moments: Sequence[int]) -> dict[int, _Marks]:
    lives = [(each.id, each.first.time, each.last.time) for each in series]
    asked = {"lives": orjson.dumps(lives).decode(), "moments": orjson.dumps(moments).decode()}
    found: dict[int, _Marks] = {
        each.id: [each.last if each.last.time <= moment else None for moment in moments] for each in series
    }
    for id_, key, *point in connection.execute(_MARKS, asked):
        found[id_][key] = Point._make(point)
    return found


def _is_anew(series: Series, marks: _Marks, index: int) -> bool:
    """Return whether counting began anew between a moment and the one before."""
    before, after = marks[index - 1] or series.first, marks[index]
    return after is not None and (before.start != after.start or before.value > after.value)


_Streams = dict[tuple[int, int], list[tuple[Point, Point]]]
"""First and last points of each start of counting, by series and the moment that they came before."""


def _streams(
    connection: sqlite3.Connection, anew: Sequence[tuple[Series, int]], marks: Mapping[int, _Marks]
) -> _Streams:
    asked = []
    for series, index in anew:
        before, after = marks[series.id][index - 1], marks[series.id][index]
        low = before.time if before else series.first.time - 1
        asked.append((series.id, low, after.time if after else low))
    found: _Streams = {}
    for key, *points in connection.execute(_STREAMS, {"asked": orjson.dumps(asked).decode()}):
        series, index = anew[key]
        found.setdefault((series.id, index), []).append((Point._make(points[:3]), Point._make(points[3:])))
    return found


class _Walk:
    """Goes through the marks of a series, and keeps what each start of counting has come to."""

    __slots__ = ("_begin", "_begins", "_last", "growth")

    def __init__(self, series: Series, begin: int) -> None:
        self.growth = Growth(series, [])
        self._begin = begin
        self._begins: dict[int, tuple[int, int]] = {}
        self._last: dict[int, Point] = {}

    def over(self, marks: _Marks, streams: _Streams) -> Growth:
        """Return what was counted from mark to mark."""
        series, growth = self.growth.series, self.growth
        if marks[0] is not None:
            self._begins[marks[0].start] = (self._begin, self._begin)
            self._last[marks[0].start] = marks[0]
        for index, (before, after) in enumerate(pairwise(marks), 1):
            if after is None or after == before:
                growth.amounts.append(0.0)
                continue
            found = streams.get((series.id, index)) or ((before or series.first, after),)
            growth.amounts.append(sum([self._counted(first, last) for first, last in found]))
        growth.watched = [Watch(*begin, self._last[start].time) for start, begin in self._begins.items()]
        return growth

    def _counted(self, first: Point, last: Point) -> float:
        """Return what one start of counting counted; `first` matters where it is new."""
        stood = self._last.get(last.start)
        self._last[last.start] = last
        if stood is not None:  # a value that fell was counted anew, without a new start
            return last.value - stood.value if last.value >= stood.value else last.value
        begin = first.time
        if self._begin < first.start <= first.time:
            begin = first.start
            self.growth.lumps.append(Lump(begin, first.time, first.value))
        self._begins[last.start] = (begin, first.time)
        return last.value - first.value


def _deltas(connection: sqlite3.Connection, series: Sequence[Series], moments: Sequence[int]) -> Iterator[Growth]:
    if not series:
        return
    found = {each.id: Growth(each, [0.0] * (len(moments) - 1)) for each in series}
    asked = {
        "series": orjson.dumps(list(found)).decode(),
        "stretches": orjson.dumps(list(pairwise(moments))).decode(),
    }
    for id_, key, amount, begin, end in connection.execute(_DELTAS, asked):
        found[id_].amounts[key] = amount or 0.0
        found[id_].watched.append(Watch(begin, begin, end))
    yield from found.values()


def coverage(watches: Iterable[Watch], begin: int, end: int) -> float:
    """Return the share of a stretch of time that is watched, 0 to 1."""
    known = sorted(
        (watch.begin if watch.begin >= begin else max(watch.heard, begin), min(watch.end, end)) for watch in watches
    )
    covered, reached = 0, begin
    for low, high in known:
        covered += max(high - max(low, reached), 0)
        reached = max(reached, high)
    return covered / (end - begin) if end > begin else 0.0
