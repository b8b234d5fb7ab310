"""Errors of applications, in the groups that they tell by fingerprints."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mita_otel.console.reading.told import Told, changes, told_by
from mita_otel.console.store.minutes import MINUTE
from mita_otel.console.store.telling import FINGERPRINT, Event

GROUPS_LIMIT: Final = 100
"""Groups that are answered, those that occurred most."""
TRACES_LIMIT: Final = 3
"""Traces of a group, the newest of minutes' first and last errors."""
PARTS: Final = 60
"""Parts of a stretch of time for which errors are counted."""
ROWS_LIMIT: Final = 40_000
"""Minutes of groups that are counted, the newest of them."""
_MINUTES_READ: Final = 20
"""Minutes of a group, its newest, whose errors are looked at for traces."""


@dataclass(frozen=True, slots=True)
class Period:
    """Minutes in parts of one length: `count` parts of `step` minutes from the minute `first` on."""

    first: int
    step: int
    count: int

    @classmethod
    def until(cls, now: int, length: int) -> "Period":
        """Return at most some sixty parts for the last `length` microseconds before `now`."""
        minutes = max(length // MINUTE, 1)
        step = -(-minutes // PARTS)
        count = -(-minutes // step)
        return cls(now // MINUTE - step * count + 1, step, count)

    @property
    def last(self) -> int:
        """The last minute."""
        return self.first + self.step * self.count - 1


@dataclass(frozen=True, slots=True)
class Group:
    """Errors of one origin.

    Attributes:
        service: that told of them.
        fingerprint: what tells the origin.
        errors: how many there were in the period.
        trend: how many in each of its parts.
        first: when the first error of the period occurred, in microseconds; at least the minute is right.
        last: the same of the last error.
        about: the newest record; None if it is no longer kept.
        traces: ids of some traces in which it occurred, the newest first, in hexadecimal.
        alerts: times of the alerts that were raised about it, the newest first.
    """

    service: str
    fingerprint: str
    errors: int
    trend: list[int]
    first: int
    last: int
    about: Told | None
    traces: list[str]
    alerts: list[int]

    def text(self, key: str) -> str:
        """Return what the newest record says under a key; empty where it says nothing."""
        return self.about.text(key) if self.about else ""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups, those that occurred most first.

    Attributes:
        groups: at most a hundred.
        left_out: how many there are beyond.
        since: the minute from which on errors were counted: the first one, or a later one if there were too many.
    """

    groups: list[Group]
    left_out: int
    since: int


def groups_of(connection: sqlite3.Connection, period: Period, service: str = "") -> Groups:
    """Return the groups of errors that occurred in a period."""
    counted, since = _counted(connection, period, service)
    most = sorted(counted.items(), key=lambda group: (-sum(errors for _, errors, _, _ in group[1]), group[0]))
    shown = most[:GROUPS_LIMIT]
    records = told_by(connection, (id_ for _, minutes in shown for id_ in _looked_at(minutes)))
    alerts = _alerts(connection, period, service)
    groups = [_group(key, minutes, period, records, alerts.get(key, [])) for key, minutes in shown]
    return Groups(groups, len(most) - len(groups), since)


_Minute = tuple[int, int, int, int]
"""Minute, errors, and the ids of the oldest and the newest record."""


def _counted(
    connection: sqlite3.Connection, period: Period, service: str
) -> tuple[dict[tuple[str, str], list[_Minute]], int]:
    """Return the minutes of each group, the newest first, and since when they are complete."""
    rows = connection.execute(
        "SELECT service, fingerprint, minute, errors, oldest, newest FROM error_minutes"
        " WHERE minute BETWEEN ? AND ? AND (? = '' OR service = ?) ORDER BY minute DESC LIMIT ?",
        (period.first, period.last, service, service, ROWS_LIMIT),
    ).fetchall()
    found: dict[tuple[str, str], list[_Minute]] = {}
    for name, fingerprint, *minute in rows:
        found.setdefault((name, fingerprint), []).append(tuple(minute))
    return found, rows[-1][2] if len(rows) == ROWS_LIMIT else period.first


def _looked_at(minutes: list[_Minute]) -> Iterator[int]:
    """Yield the ids of records that tell of a group, the newest first."""
    for _, _, oldest, newest in minutes[:_MINUTES_READ]:
        yield newest
        yield oldest
    yield minutes[-1][2]


def _group(
    key: tuple[str, str], minutes: list[_Minute], period: Period, records: dict[int, Told], alerts: list[int]
) -> Group:
    trend = [0] * period.count
    for minute, errors, _, _ in minutes:
        trend[(minute - period.first) // period.step] += errors
    first, last = records.get(minutes[-1][2]), records.get(minutes[0][3])
    looked_at = (records.get(id_) for id_ in _looked_at(minutes))
    traces = dict.fromkeys(record.trace.hex() for record in looked_at if record and record.trace)
    return Group(
        *key,
        errors=sum(trend),
        trend=trend,
        first=first.time if first else minutes[-1][0] * MINUTE,
        last=last.time if last else minutes[0][0] * MINUTE,
        about=last,
        traces=list(traces)[:TRACES_LIMIT],
        alerts=alerts,
    )


def _alerts(connection: sqlite3.Connection, period: Period, service: str) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for alert in changes(connection, Event.ALERT, service):
        if alert.time >= period.first * MINUTE:
            found.setdefault((alert.service, alert.text(FINGERPRINT)), []).append(alert.time)
    return found
