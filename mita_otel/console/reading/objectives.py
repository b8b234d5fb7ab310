"""Objectives of services: what is promised, what was kept of it, and what of the budget is left.

The arithmetic is that of `mita_otel.slo`, on what the services' counters say. The console keeps hours of them, and a
budget is of weeks: `coverage` says how much of the period is known. All times are microseconds since the epoch.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from mita_otel.console.reading.counted import Counted
from mita_otel.console.reading.figures import Figures
from mita_otel.console.reading.growth import Series, coverage, growths, series_of
from mita_otel.slo.alerts import Alarm, Rule, judge, rules
from mita_otel.slo.budget import Budget, Count, burn_rate, countdown
from mita_otel.slo.policy import STAGES, Stage, State, stage, state
from mita_otel.slo.windows import DAY, WINDOWS, Period, Rolling, period_of

# Names as in `metrics.catalogue`, see `resilience`.
EVENTS: Final = "mita.slo.events"
OBJECTIVE: Final = "mita.slo.objective"
INFO: Final = "mita.slo.info"
STAGE: Final = "mita.slo.stage"

OBJECTIVES_LIMIT: Final = 200
"""Objectives that are answered, the worst of them."""
PARTS: Final = 30
"""Parts of the time that is kept, for each of which a trend has a value."""
UNTOLD: Final = Rolling(30 * DAY)
"""The period of an objective that does not tell it."""
_SECOND: Final = 1_000_000
_rules: Final = lru_cache(maxsize=256)(rules)
_ACTIONS: Final = {(stage.name, stage.action): stage.actions for stage in STAGES}
_WORST_FIRST: Final = (State.EXHAUSTED, State.INVALID, State.AT_RISK, State.OK, State.NO_DATA)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is told of an objective beside its events.

    Attributes:
        objective: the share that has to be good, above 0 and below 1; None where that is not told.
        about: title, part, owner, tier, type and period, in words; empty where they are not told.
        period: what its budget is for.
        stages: of its budget's policy, from the best to the worst.
    """

    objective: float | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    period: Period = UNTOLD
    stages: tuple[Stage, ...] = STAGES

    def bounds(self, now: int) -> tuple[int, int]:
        """Return when the period that holds a moment begins and ends."""
        start, end = self.period.bounds(datetime.fromtimestamp(now / _SECOND, UTC))
        return int(start.timestamp()) * _SECOND, int(end.timestamp()) * _SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """How an objective of a service stands.

    Attributes:
        service: that serves it.
        id: of the objective.
        promise: what is told of it.
        period: seconds of its period.
        count: events of its period that are known.
        budget: of its period; None where the objective is not told, or what was counted cannot be.
        burn: rates by window; None where nothing happened in it.
        alerts: what alerts on burn rates would do.
        state: in a word.
        stage: of the policy; None where nothing is known.
        countdown: seconds until what is left is spent at the last hour's burn; None where it lasts, or nobody knows.
        coverage: share of the period, as far as it is over, that is known.
        since: when it began to be watched, as far as that is known.
        heard: when it was heard of last.
        trend: budget left at the end of each part of the time that is kept; None before anything is known.
    """

    service: str
    id: str
    promise: Promise
    period: float
    count: Count
    budget: Budget | None
    burn: Mapping[str, float | None]
    alerts: Sequence[tuple[Rule, Alarm]]
    state: State
    stage: Stage | None
    countdown: float | None
    coverage: float
    since: int
    heard: int
    trend: list[float | None]

    @property
    def remaining(self) -> float | None:
        """The share of the budget that is left, signed; None where nobody knows."""
        return self.budget.remaining_ratio if self.budget else None


@dataclass(frozen=True, slots=True)
class Objectives:
    """Objectives, the worst first; trends have a value at the end of each `step` from `start` on."""

    all: list[Objective]
    start: int
    step: int


def objectives_of(connection: sqlite3.Connection, now: int, service: str = "", id_: str = "") -> Objectives:
    """Return how all objectives stand now, or those of one service, or with one id."""
    series = series_of(connection, EVENTS, now, service=service, labels={"slo": id_} if id_ else {})
    promises = promises_of(Figures(connection, now, now, service))
    begins = {each.bounds(now)[0] for each in (Promise(), *promises.values())}
    grid = grid_of(min((each.first.time for each in series), default=now), min(begins), now, PARTS)
    found = counted(connection, series, sorted({*begins, *_windows(now), *grid}))
    made = [_objective(key, promises.get(key, Promise()), each, grid) for key, each in found.items()]
    return Objectives(sorted(made, key=_order), grid[0], grid[1] - grid[0])


def _order(one: Objective) -> tuple[int, float, str, str, str]:
    remaining = 0.0 if one.remaining is None else one.remaining
    return _WORST_FIRST.index(one.state), remaining, one.promise.about.get("tier", ""), one.service, one.id


def promises_of(figures: Figures) -> dict[tuple[str, str], Promise]:
    """Return what is told of objectives, by service and id; where processes differ, what was told last."""
    objectives = {
        (service, labels.get("slo", "")): value
        for service, labels, value, _ in sorted(figures.now(OBJECTIVE), key=lambda told: told.time)
    }
    about = {
        (service, labels.get("slo", "")): labels
        for service, labels, _, _ in sorted(figures.now(INFO), key=lambda told: told.time)
    }
    policies = policies_of(figures)
    return {key: _promise(key[0], objectives.get(key), about.get(key, {}), policies) for key in {*objectives, *about}}


def _promise(
    service: str,
    objective: float | None,
    about: Mapping[str, str],
    policies: Mapping[tuple[str, str], tuple[Stage, ...]],
) -> Promise:
    told = about.get("period", "")
    return Promise(_possible(objective), about, _period(told), policies.get((service, told), STAGES))


def policies_of(figures: Figures) -> dict[tuple[str, str], tuple[Stage, ...]]:
    """Return the stages of budgets' policies, by service and period; what is to be done in them where it is ours."""
    begins: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for service, labels, value, _ in figures.now(STAGE):
        told = begins.setdefault((service, labels.get("period", "")), {})
        told[labels.get("stage", ""), labels.get("action", "")] = value
    return {key: _policy(sorted(told.items(), key=lambda each: each[1])) for key, told in begins.items()}


def _policy(begins: Sequence[tuple[tuple[str, str], float]]) -> tuple[Stage, ...]:
    ends = [*(round(1 - begin, 9) for _, begin in begins[1:]), float("-inf")]
    return tuple(
        Stage(name, above, action, _ACTIONS.get((name, action), ()), "warning")
        for ((name, action), _), above in zip(begins, ends, strict=True)
    )


def _possible(objective: float | None) -> float | None:
    return objective if objective is not None and 0 < objective < 1 and round(1 - objective, 12) > 0 else None


def _period(text: str) -> Period:
    try:
        return period_of(text)
    except ValueError:
        return UNTOLD


def grid_of(first: int, begin: int, now: int, parts: int) -> range:
    """Return the moments that part the time from the first known point, or a period's beginning, until now.

    Args:
        first: when the first point came.
        begin: of the period.
        now: where the last part ends.
        parts: how many there are; none is shorter than a second.
    """
    step = max(-(-(now - max(first, begin)) // parts), _SECOND)
    count = max(-(-(now - max(first, begin)) // step), 1)
    return range(now - count * step, now + 1, step)


def _windows(now: int) -> list[int]:
    return [now, *(now - length * _SECOND for length in WINDOWS.values())]


def counted(
    connection: sqlite3.Connection, series: Iterable[Series], moments: Sequence[int]
) -> dict[tuple[str, str], Counted]:
    """Return the events of objectives, by service and id."""
    found: dict[tuple[str, str], Counted] = {}
    for growth in growths(connection, series, moments):
        key = (growth.series.service, growth.series.labels.get("slo", ""))
        found.setdefault(key, Counted(moments)).add(growth)
    return found


def _objective(key: tuple[str, str], promise: Promise, events: Counted, grid: Sequence[int]) -> Objective:
    now = events.moments[-1]
    begin, end = promise.bounds(now)
    count, objective = events.count(begin), promise.objective
    windows = {length: events.window(now - length * _SECOND) for length in WINDOWS.values()}
    valid = count.is_valid and all(window.count.is_valid for window in windows.values())
    period = (end - begin) / _SECOND
    budget = Budget(objective, count, period) if objective is not None and valid else None
    burn = {name: _burn(windows[length].count, objective) for name, length in WINDOWS.items()}
    remaining = budget.remaining_ratio if budget else None
    watched = events.watched
    return Objective(
        service=key[0],
        id=key[1],
        promise=promise,
        period=period,
        count=count,
        budget=budget,
        burn=burn,
        alerts=[(rule, judge(rule, objective, windows)) for rule in _rules(objective, period)] if objective else [],
        state=state(remaining, burn["1h"]) if valid else State.INVALID,
        stage=None if remaining is None else stage(remaining, None, promise.stages),
        countdown=countdown(remaining, burn["1h"], period),
        coverage=coverage(watched, begin, now),
        since=max(min((watch.begin for watch in watched), default=now), begin),
        heard=events.heard,
        trend=trend(events, budget, begin, grid),
    )


def _burn(count: Count, objective: float | None) -> float | None:
    return burn_rate(count, objective) if objective is not None and count.is_valid else None


def trend(events: Counted, budget: Budget | None, begin: int, grid: Sequence[int]) -> list[float | None]:
    """Return what was left of a budget at the end of each part of a grid.

    It is what all of the period's events so far allow that is spent, bit by bit: it begins at 1 and ends at what is
    left now. None before anything is known, and after it was heard of last.
    """
    allowed = budget.allowed_events if budget else 0.0
    if not allowed:
        return [None] * (len(grid) - 1)
    first, heard = min((watch.heard for watch in events.watched), default=grid[-1]), events.heard
    bad = events.bad(begin, [max(end, begin) for end in grid[1:]])
    return [
        1 - spent / allowed if end >= first and start < heard and end > begin else None
        for (start, end), spent in zip(pairwise(grid), bad, strict=True)
    ]
