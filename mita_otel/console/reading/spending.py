"""How an objective's budget was spent: bit by bit over its period, and by what.

The ledger is that of `mita_otel.slo.ledger`: each bad event is put down once in every dimension, by what contributed to
it. All times are microseconds since the epoch.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import orjson

from mita_otel.console.reading.counted import Counted, Sum
from mita_otel.console.reading.figures import Figures
from mita_otel.console.reading.growth import coverage, growths, series_of
from mita_otel.console.reading.objectives import (
    EVENTS,
    Objective,
    counted,
    grid_of,
    objectives_of,
    trend,
)

# Names as in `metrics.catalogue`, see `resilience`.
SPENT: Final = "mita.slo.spent"
SLI: Final = "mita.slo.sli"
REMAINING: Final = "mita.slo.error_budget.remaining"

PARTS: Final = 120
"""Parts of a burn-down."""
DIMENSIONS: Final = ("route", "error_type", "dependency", "version", "flag")
CONTRIBUTORS_LIMIT: Final = 10
"""Contributors of a dimension that are answered, those that spent most."""
TRACES_LIMIT: Final = 3
"""Traces of a contributor, the newest that are here."""
_EXEMPLARS: Final = 8
"""Exemplars of a series that are looked at for them."""
_SERVICE: Final = "service"
"""The scope of what a service says of all its replicas."""

_TRACES: Final = """
SELECT e.series, e.time, e.trace FROM json_each(:series) s CROSS JOIN exemplars e ON e.id IN (
    SELECT id FROM exemplars WHERE series = s.value AND time > :begin AND trace IS NOT NULL
    ORDER BY time DESC LIMIT :most
) WHERE EXISTS (SELECT 1 FROM spans WHERE trace = e.trace) ORDER BY e.time DESC
"""


class Part(NamedTuple):
    """A part of the period, which ends at `end`: what was left of the budget then, and the events in it.

    `remaining` is None where nobody knows; so are the events where nobody counted.
    """

    end: int
    remaining: float | None
    good: float | None
    bad: float | None


@dataclass(frozen=True, slots=True)
class Contributor:
    """What contributed to bad events: how many of them, and the newest traces (id and time) that are here."""

    name: str
    bad: float
    traces: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dimension:
    """The contributors of a dimension, those that spent most first, and how many more there are."""

    name: str
    bad: float
    contributors: list[Contributor]
    left_out: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a service says of all its replicas, as Prometheus knows them; when."""

    sli: float | None
    remaining: float | None
    time: int


@dataclass(frozen=True, slots=True)
class Spending:
    """An objective, and how its budget was spent.

    Attributes:
        objective: how it stands.
        start: when the first of the parts begins.
        left_at_start: what of the budget was left then, if that is known.
        parts: of the time of the period that is kept.
        ledger: by dimension.
        told: what the service says of all its replicas, if it does.
    """

    objective: Objective
    start: int
    left_at_start: float | None
    parts: list[Part]
    ledger: list[Dimension]
    told: Told | None


def services_of(connection: sqlite3.Connection, now: int, id_: str) -> list[str]:
    """Return the services that have an objective of an id."""
    return sorted({each.service for each in series_of(connection, EVENTS, now, labels={"slo": id_})})


def spending_of(connection: sqlite3.Connection, now: int, service: str, id_: str) -> Spending | None:
    """Return how an objective's budget was spent; None if there is no such objective."""
    found = objectives_of(connection, now, service, id_)
    if not found.all:
        return None
    objective = found.all[0]
    begin, _ = objective.promise.bounds(now)
    start, left, parts = _burn_down(connection, now, objective)
    return Spending(
        objective=objective,
        start=start,
        left_at_start=left,
        parts=parts,
        ledger=_ledger(connection, now, objective, begin),
        told=_told(Figures(connection, now, now, service), id_),
    )


def _burn_down(connection: sqlite3.Connection, now: int, objective: Objective) -> tuple[int, float | None, list[Part]]:
    begin, _ = objective.promise.bounds(now)
    series = series_of(connection, EVENTS, now, service=objective.service, labels={"slo": objective.id})
    grid = grid_of(min(each.first.time for each in series), begin, now, PARTS)
    moments = sorted({begin, *grid})
    events = next(iter(counted(connection, series, moments).values()), Counted(moments))
    left = trend(events, objective.budget, begin, grid)
    sums = [events.count(begin, max(moment, begin)) for moment in grid]
    watched = events.watched
    parts = []
    for (low, high), (before, after), remaining in zip(pairwise(grid), pairwise(sums), left, strict=True):
        if coverage(watched, low, high):
            parts.append(Part(high, remaining, after.good - before.good, after.bad - before.bad))
        else:
            parts.append(Part(high, None, None, None))
    allowed = objective.budget.allowed_events if objective.budget else 0
    return grid[0], 1 - sums[0].bad / allowed if allowed else None, parts


def _ledger(connection: sqlite3.Connection, now: int, objective: Objective, begin: int) -> list[Dimension]:
    series = series_of(connection, SPENT, now, service=objective.service, labels={"slo": objective.id})
    spent: dict[str, dict[str, float]] = {}
    holders: dict[tuple[str, str], list[int]] = {}
    for growth in growths(connection, series, (begin, now)):
        labels = growth.series.labels
        key = (labels.get("dimension", ""), labels.get("contributor", ""))
        amount = Sum((begin, now), [growth]).between(begin, now)
        if amount > 0:
            tally = spent.setdefault(key[0], {})
            tally[key[1]] = tally.get(key[1], 0.0) + amount
            holders.setdefault(key, []).append(growth.series.id)
    shown = {name: _most(tally) for name, tally in spent.items()}
    wanted = [id_ for name, those in shown.items() for each in those for id_ in holders[name, each]]
    traces = _traces(connection, wanted, begin)
    return [
        Dimension(
            name,
            sum(spent[name].values()),
            [Contributor(each, spent[name][each], _newest(traces, holders[name, each])) for each in shown[name]],
            len(spent[name]) - len(shown[name]),
        )
        for name in sorted(spent, key=_place)
    ]


def _most(tally: Mapping[str, float]) -> list[str]:
    return sorted(tally, key=lambda name: (-tally[name], name))[:CONTRIBUTORS_LIMIT]


def _place(dimension: str) -> tuple[int, str]:
    return (DIMENSIONS.index(dimension) if dimension in DIMENSIONS else len(DIMENSIONS), dimension)


def _traces(connection: sqlite3.Connection, series: Iterable[int], begin: int) -> dict[int, list[tuple[str, int]]]:
    """Return the newest traces in which a series counted, the newest first."""
    asked = {"series": orjson.dumps(list(series)).decode(), "begin": begin, "most": _EXEMPLARS}
    found: dict[int, list[tuple[str, int]]] = {}
    for id_, time, trace in connection.execute(_TRACES, asked):
        found.setdefault(id_, []).append((trace.hex(), time))
    return found


def _newest(traces: Mapping[int, list[tuple[str, int]]], holders: Iterable[int]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for trace, time in sorted((each for id_ in holders for each in traces.get(id_, ())), key=lambda each: -each[1]):
        found.setdefault(trace, time)
    return list(found.items())[:TRACES_LIMIT]


def _told(figures: Figures, id_: str) -> Told | None:
    """Return what was said last by whoever sees all replicas."""
    found = {
        name: max(
            (
                (value.time, value.value)
                for value in figures.now(name)
                if value.labels.get("slo") == id_ and value.labels.get("scope") == _SERVICE
            ),
            default=None,
        )
        for name in (SLI, REMAINING)
    }
    times = [each[0] for each in found.values() if each]
    if not times:
        return None
    sli, remaining = found[SLI], found[REMAINING]
    return Told(sli[1] if sli else None, remaining[1] if remaining else None, max(times))
