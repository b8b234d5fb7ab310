"""One metric over time: rates of counters, values of gauges, quantiles of histograms."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.metrics.v1.metrics_pb2 import SummaryDataPoint

from mita_otel.console.reading.conditions import Condition
from mita_otel.console.reading.distributions import (
    Counts,
    Distribution,
    Recorded,
    difference,
    explicit_counts,
    scaled_counts,
)
from mita_otel.console.reading.instruments import Chosen, Series, choose
from mita_otel.console.reading.rates import Buckets, Increase, Point, cumulative, delta, latest, rates

BUCKETS_LIMIT: Final = 1_500
"""Points of a line."""
SERIES_LIMIT: Final = 2_000
"""Series that are read, the newest of them."""
GROUPS_LIMIT: Final = 100
"""Groups that are answered, those with the highest values."""
EXEMPLARS_LIMIT: Final = 200
SERVICE: Final = "service.name"
"""Groups by the service, which is no attribute of a series."""

_DELTA: Final = 1
_SECOND: Final = 1_000_000
_HISTORY: Final = 600 * _SECOND
"""How far before the start points are read, for the increases and values that reach into it."""

_BODY: Final = "iif(length(body) > 65536, NULL, body)"
"""A point with thousands of buckets has no quantiles: reading many of them would take the memory of all."""

Values = list[float | None]


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """What is asked of a metric; times and the step in microseconds. `kind` and `unit` choose where services differ."""

    name: str
    start: int
    end: int
    step: int
    service: str = ""
    kind: str = ""
    unit: str | None = None
    conditions: tuple[Condition, ...] = ()
    group_by: str = ""
    quantiles: tuple[float, ...] = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Line:
    """Values at the ends of the buckets; labels say of what."""

    labels: dict[str, str]
    values: Values


@dataclass(frozen=True, slots=True)
class ValueWithTrace:
    """An exemplar: a measurement and the span in which it was taken."""

    time: int
    value: float | None
    trace: bytes
    span: bytes
    labels: dict[str, str]


@dataclass(slots=True)
class Metric:
    """A metric over time.

    Attributes:
        about: name, unit, kind and series.
        ends: of the buckets of time, of which each line has one value.
        lines: what there is to draw.
        exemplars: the newest of the stretch of time, newest first.
        groups_left_out: groups beyond the limit.
        series_left_out: series beyond the limit.
    """

    about: Chosen
    ends: range
    lines: list[Line] = field(default_factory=list)
    exemplars: list[ValueWithTrace] = field(default_factory=list)
    groups_left_out: int = 0
    series_left_out: int = 0


def metric_of(connection: sqlite3.Connection, query: MetricQuery) -> Metric | None:
    """Return a metric over time, None if no instrument has the name (and service, kind and unit).

    Without groups there is one line for all series, or one for each quantile: sums and their rates are added up, gauges
    are averaged, histograms are joined before their quantiles are taken.
    """
    about = choose(connection, query.name, service=query.service, kind=query.kind, unit=query.unit)
    if about is None:
        return None
    buckets = Buckets.covering(query.start, query.end, query.step)
    meant = [series for series in about.series if _is_meant(series, query.conditions)]
    chosen = sorted(meant, key=lambda series: -series.id)[:SERIES_LIMIT]
    groups: dict[str, list[Series]] = {}
    for series in chosen:
        groups.setdefault(_group_of(series, query.group_by), []).append(series)
    metric = Metric(about, buckets.ends, series_left_out=len(meant) - len(chosen))
    points = _Points(connection, buckets)
    drawn = [(key, _lines(about, points, members, query.quantiles)) for key, members in groups.items()]
    drawn.sort(key=lambda group: (-max((_highest(values) for _, values in group[1]), default=0.0), group[0]))
    metric.groups_left_out = max(len(drawn) - GROUPS_LIMIT, 0)
    for key, lines in drawn[:GROUPS_LIMIT]:
        group = {query.group_by: key} if query.group_by else {}
        metric.lines += [Line(group | labels, values) for labels, values in lines]
    metric.exemplars = _exemplars(connection, chosen, query)
    return metric


def _is_meant(series: Series, conditions: Iterable[Condition]) -> bool:
    return all(
        (series.service if condition.key == SERVICE else series.attributes.get(condition.key)) in condition.texts
        for condition in conditions
    )


def _group_of(series: Series, key: str) -> str:
    return series.service if key == SERVICE else series.attributes.get(key, "")


def _highest(values: Values) -> float:
    return max((value for value in values if value is not None), default=0.0)


class _Points:
    """Reads the points of series around the buckets."""

    __slots__ = ("_connection", "_span", "buckets")

    def __init__(self, connection: sqlite3.Connection, buckets: Buckets) -> None:
        self._connection = connection
        self.buckets = buckets
        history = (
            max(-(-_HISTORY // buckets.step), 2) * buckets.step
        )  # whole buckets, so that they are those of the answer
        self._span = (buckets.first - history, buckets.last)

    def of(self, series: Series) -> list[Point]:
        """Return the points by time."""
        rows = self._connection.execute(
            "SELECT time, start, value FROM points WHERE series = ? AND time BETWEEN ? AND ? ORDER BY time",
            (series.id, *self._span),
        )
        return list(map(Point._make, rows))

    def thinned(self, series: Series) -> tuple[list[Point], dict[int, bytes | None]]:
        """Return the points that are needed for increases from bucket to bucket, and their bodies by time.

        They are the last of each stream in each bucket. Points without a value and those without a start stay, too:
        they tell of gaps and of restarts.
        """
        rows = self._connection.execute(
            f"SELECT max(time), start, value, {_BODY} FROM points WHERE series = ? AND time BETWEEN ? AND ?"  # noqa: S608 - our own text
            " GROUP BY start, (time - ? - 1) / ?, iif(start = 0 OR value IS NULL, time, 0)",
            (series.id, *self._span, self._span[0], self.buckets.step),
        ).fetchall()
        rows.sort()
        return [Point(time, start, value) for time, start, value, _ in rows], {row[0]: row[3] for row in rows}

    def increases(self, series: Series) -> tuple[list[Increase], dict[int, bytes | None]]:
        """Return what a counter counted, and the bodies of the points by time."""
        if series.temporality == _DELTA:
            points = self.of(series)
            return list(delta(points)), self._bodies(series)
        points, bodies = self.thinned(series)
        return list(cumulative(points, shortest_gap=2 * self.buckets.step)), bodies

    def _bodies(self, series: Series) -> dict[int, bytes | None]:
        rows = self._connection.execute(
            f"SELECT time, {_BODY} FROM points WHERE series = ? AND time BETWEEN ? AND ?",  # noqa: S608 - our own text
            (series.id, *self._span),
        )
        return dict(rows.fetchall())


def _lines(
    about: Chosen, points: _Points, members: Sequence[Series], shares: Sequence[float]
) -> list[tuple[dict[str, str], Values]]:
    """Return the lines of a group of series, labelled by what only some of them are."""
    match about.kind:
        case "histogram":
            return _histogram_lines(points, members, shares, explicit_counts)
        case "exponential_histogram":
            return _histogram_lines(points, members, shares, scaled_counts)
        case "summary":
            return _summary_lines(points, members)
        case "sum" if about.monotonic:
            return [({}, added(rates(points.increases(series)[0], points.buckets) for series in members))]
        case "sum":
            return [({}, added(_standing(points, series) for series in members))]
        case _:
            return [({}, averaged(latest(points.of(series), points.buckets) for series in members))]


def _standing(points: _Points, series: Series) -> Values:
    """Return the values of a sum that may fall; of one that is sent as differences, what they add up to."""
    found = points.of(series)
    if series.temporality != _DELTA:
        return latest(found, points.buckets)
    total = 0.0
    added_up = []
    for point in found:
        total += point.value or 0.0
        added_up.append(point._replace(value=total))
    return latest(added_up, points.buckets)


def _histogram_lines(
    points: _Points,
    members: Sequence[Series],
    shares: Sequence[float],
    read: Callable[[bytes], Counts | None],
) -> list[tuple[dict[str, str], Values]]:
    buckets = points.buckets
    recorded: list[Distribution | None] = [None] * buckets.count
    counted: list[Values] = []
    for series in members:
        increases, bodies = points.increases(series)
        counted.append(rates(increases, buckets))
        _record(increases, bodies, read, buckets, recorded)
    lines = [
        ({"quantile": f"{share:g}"}, [each.quantile(share) if each else None for each in recorded]) for share in shares
    ]
    return [*lines, ({}, added(counted))]


def _record(
    increases: Iterable[Increase],
    bodies: Mapping[int, bytes | None],
    read: Callable[[bytes], Counts | None],
    buckets: Buckets,
    recorded: list[Distribution | None],
) -> None:
    """Add what one series recorded to the buckets of time."""
    known: dict[int, Counts | None] = {}

    def counts_at(time: int) -> Counts | None:
        if time not in known:
            body = bodies[time]
            known[time] = None if body is None else read(body)
        return known[time]

    for increase in increases:
        if increase.amount > 0 and increase.end > buckets.first:
            after = counts_at(increase.point.time)
            before = counts_at(increase.before.time) if increase.before else None
            if after and (before or not increase.before):
                _spread(difference(after, before), increase, buckets, recorded)


def _spread(values: Recorded, increase: Increase, buckets: Buckets, recorded: list[Distribution | None]) -> None:
    """Add what was recorded to the buckets in which it was; within one step, to the one in which it ended."""
    length = increase.end - increase.begin
    at = buckets.index_of(increase.end)
    for index, part in [(at, length)] if length <= buckets.step else buckets.overlaps(increase.begin, increase.end):
        if 0 <= index < buckets.count:
            found = recorded[index] = recorded[index] or Distribution()
            found.add(values, part / length)


def _summary_lines(points: _Points, members: Sequence[Series]) -> list[tuple[dict[str, str], Values]]:
    """Return the quantiles that the sender computed, averaged, for they cannot be joined."""
    by_share: dict[float, list[Values]] = {}
    counted: list[Values] = []
    for series in members:
        counted.append(rates(points.increases(series)[0], points.buckets))
        own: dict[float, list[Point]] = {}
        thinned, bodies = points.thinned(series)
        for point in thinned:
            for each in SummaryDataPoint.FromString(bodies[point.time] or b"").quantile_values:
                own.setdefault(each.quantile, []).append(point._replace(value=each.value))
        for share, values in own.items():
            by_share.setdefault(share, []).append(latest(values, points.buckets))
    lines = [({"quantile": f"{share:g}"}, averaged(values)) for share, values in sorted(by_share.items())]
    return [*lines, ({}, added(counted))]


def added(lines: Iterable[Values]) -> Values:
    """Return the sums of the values at the same place, None where there is no value at all."""
    return [sum(there) if there else None for there in _by_place(lines)]


def averaged(lines: Iterable[Values]) -> Values:
    """Return the means of the values at the same place, None where there is no value at all."""
    return [sum(there) / len(there) if there else None for there in _by_place(lines)]


def _by_place(lines: Iterable[Values]) -> Iterator[list[float]]:
    return ([value for value in values if value is not None] for values in zip(*lines, strict=True))


def _exemplars(connection: sqlite3.Connection, chosen: Iterable[Series], query: MetricQuery) -> list[ValueWithTrace]:
    found = []
    find = (
        "SELECT time, value, trace, coalesce(span, x'') FROM exemplars"
        " WHERE series = ? AND time BETWEEN ? AND ? AND trace IS NOT NULL ORDER BY time DESC LIMIT ?"
    )
    for series in chosen:
        rows = connection.execute(find, (series.id, query.start, query.end, EXEMPLARS_LIMIT))
        found += [ValueWithTrace(time, value, trace, span, series.attributes) for time, value, trace, span in rows]
    return sorted(found, key=lambda exemplar: -exemplar.time)[:EXEMPLARS_LIMIT]
