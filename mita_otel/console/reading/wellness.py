"""How well services say they are: levels, readiness, and the checks behind them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mita_otel.console.reading.figures import Figures, Tally, by
from mita_otel.console.reading.told import Told, changes
from mita_otel.console.store.telling import Event

# Names as in `metrics.catalogue`, see `resilience`.
STATUS: Final = "mita.health.status"
READY: Final = "mita.health.ready"
CHECK: Final = "mita.health.check"
RESPONSE_TIME: Final = "mita.service.response_time_ms"
FAILURES: Final = "mita.health.check.failures"

LEVELS: Final = {"healthy": 1.0, "degraded": 0.66, "critical": 0.33, "unhealthy": 0.0}
"""Values of the status, from the best level to the worst. Source: observability report, section 2.4."""

SERVICES_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a check's level that was told of; `trace` is, in hexadecimal, that of the look that failed last."""

    time: int
    before: str
    after: str
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check: levels by how many processes found them last, milliseconds of the slowest process's look."""

    name: str
    levels: Tally
    response_ms: float | None
    failures: float
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Service:
    """A service: levels and readiness (`ready`, `not ready`) by processes, and when it was heard of last."""

    name: str
    heard: int
    levels: Tally
    ready: Tally
    checks: list[Check]


def wellness_of(connection: sqlite3.Connection, figures: Figures) -> list[Service]:
    """Return the services that tell of their health, by name."""
    levels: dict[str, Tally] = {}
    heard: dict[str, int] = {}
    for value in figures.now(STATUS):
        _count(levels.setdefault(value.service, {}), _level(value.value))
        heard[value.service] = max(heard.get(value.service, 0), value.time)
    ready: dict[str, Tally] = {}
    for value in figures.now(READY):
        _count(ready.setdefault(value.service, {}), "ready" if value.value else "not ready")
    checks = _checks(connection, figures)
    return [
        Service(name, heard[name], levels[name], ready.get(name, {}), checks.get(name, []))
        for name in sorted(levels)[:SERVICES_LIMIT]
    ]


def _checks(connection: sqlite3.Connection, figures: Figures) -> dict[str, list[Check]]:
    levels = by(figures.now(CHECK), "check", label="status")
    slowest: dict[tuple[str, str], float] = {}
    for service, labels, value, _ in figures.now(RESPONSE_TIME):
        key = (service, labels.get("service", ""))
        slowest[key] = max(slowest.get(key, 0.0), value)
    failures = by(figures.grown(FAILURES), "check")
    told = _by_check(changes(connection, Event.HEALTH, figures.service))
    found: dict[str, list[Check]] = {}
    for key, found_levels in sorted(levels.items()):
        check = Check(
            name=key[1],
            levels={level: processes for level, processes in found_levels.items() if processes > 0},
            response_ms=slowest.get(key),
            failures=failures.get(key, {}).get("", 0.0),
            changes=told.get(key, []),
        )
        found.setdefault(key[0], []).append(check)
    return found


def _by_check(told: Iterable[Told]) -> dict[tuple[str, str], list[Change]]:
    found: dict[tuple[str, str], list[Change]] = {}
    for each in told:
        change = Change(
            time=each.time,
            before=each.text("mita.health.previous_status"),
            after=each.text("mita.health.status"),
            error=each.text("error.type"),
            trace=each.text("mita.health.trace_id"),
        )
        found.setdefault((each.service, each.text("mita.health.check")), []).append(change)
    return found


def _level(value: float) -> str:
    return min(LEVELS, key=lambda level: abs(LEVELS[level] - value))


def _count(tally: Tally, key: str) -> None:
    tally[key] = tally.get(key, 0.0) + 1
