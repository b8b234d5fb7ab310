"""Traces in a line each: what began them, how long they took, who took part, what failed."""

import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from mita_otel.console.reading.decoding import span_of
from mita_otel.console.store.schema import ERROR, OTHER_OPERATION, ROOT

_LARGE: Final = 5_000
"""Spans from which on a trace is summed up without looking for spans that were received twice."""

# A span's two ids, as every encoder writes them: fields 1 and 2, of 16 and 8 bytes.
_TRACE_ID: Final = b"\x0a\x10"
_SPAN_ID: Final = b"\x12\x08"


@dataclass(frozen=True, slots=True)
class Summary:
    """A trace. Times are microseconds since the epoch, durations microseconds.

    Attributes:
        trace: its id.
        service: of its root, or of its earliest span while no root is there.
        operation: of the same.
        start: of its earliest span.
        duration: until its last span ended.
        spans: how many there are; those received twice count once.
        errors: spans that failed.
        services: spans by service, most first.
    """

    trace: bytes
    service: str
    operation: str
    start: int
    duration: int
    spans: int
    errors: int
    services: dict[str, int]


class _Row(NamedTuple):
    id: int
    service: str
    operation: str
    start: int
    duration: int
    flags: int
    ids: bytes


_SPANS: Final = (
    "SELECT s.id, o.service, o.name, s.start, s.duration, s.flags, substr(b.body, 1, 28) FROM spans s"
    " JOIN operations o ON o.id = s.operation JOIN span_bodies b ON b.id = s.id WHERE s.trace = ? ORDER BY s.id"
)
_TOTALS: Final = (
    "SELECT o.service, count(*), sum(s.flags & 1), min(s.start), max(s.start + s.duration) FROM spans s"
    " JOIN operations o ON o.id = s.operation WHERE s.trace = ? GROUP BY o.service"
)
_FIRST: Final = (
    "SELECT s.id, o.service, o.name, s.start, s.duration, s.flags, NULL FROM spans s"  # noqa: S608 - a constant
    f" JOIN operations o ON o.id = s.operation WHERE s.trace = ? ORDER BY NOT s.flags & {ROOT}, s.start LIMIT 1"
)


def summary_of(connection: sqlite3.Connection, trace: bytes) -> Summary | None:
    """Return a trace in a line, None if it is not there (any more)."""
    (count,) = connection.execute("SELECT count(*) FROM spans WHERE trace = ?", (trace,)).fetchone()
    if count == 0:
        return None
    return _large(connection, trace) if count > _LARGE else _usual(connection, trace)


def _usual(connection: sqlite3.Connection, trace: bytes) -> Summary:
    latest: dict[bytes, _Row] = {}
    for row in map(_Row._make, connection.execute(_SPANS, (trace,))):
        latest[_span_id(connection, row)] = row
    rows = latest.values()
    start = min(row.start for row in rows)
    first = min(rows, key=lambda row: (not row.flags & ROOT, row.start))
    return Summary(
        trace=trace,
        service=first.service,
        operation=_name_of(connection, first),
        start=start,
        duration=max(row.start + row.duration for row in rows) - start,
        spans=len(rows),
        errors=sum(row.flags & ERROR for row in rows),
        services=dict(Counter(row.service for row in rows).most_common()),
    )


def _large(connection: sqlite3.Connection, trace: bytes) -> Summary:
    rows = connection.execute(_TOTALS, (trace,)).fetchall()
    first = _Row._make(connection.execute(_FIRST, (trace,)).fetchone())
    start = min(row[3] for row in rows)
    return Summary(
        trace=trace,
        service=first.service,
        operation=_name_of(connection, first),
        start=start,
        duration=max(row[4] for row in rows) - start,
        spans=sum(row[1] for row in rows),
        errors=sum(row[2] for row in rows),
        services=dict(Counter({row[0]: row[1] for row in rows}).most_common()),
    )


def _span_id(connection: sqlite3.Connection, row: _Row) -> bytes:
    ids = row.ids
    if ids[:2] == _TRACE_ID and ids[18:20] == _SPAN_ID:
        return ids[20:28]
    return span_of(_body_of(connection, row.id))[0].span_id


def _name_of(connection: sqlite3.Connection, row: _Row) -> str:
    return span_of(_body_of(connection, row.id))[0].name if row.operation == OTHER_OPERATION else row.operation


def _body_of(connection: sqlite3.Connection, number: int) -> bytes:
    (body,) = connection.execute("SELECT body FROM span_bodies WHERE id = ?", (number,)).fetchone()
    return bytes(body)
