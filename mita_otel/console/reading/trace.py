"""One trace: all its spans, each once, and what is odd about them."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.reading.critical_path import Node
from mita_otel.console.reading.decoding import NESTED_TOO_DEEP, span_of

SPANS_LIMIT: Final = 20_000
"""Spans of one trace that are answered, the earliest; the trace says how many there are."""

_BYTES_LIMIT: Final = 64 * 1024 * 1024
"""Of the spans of one trace, as they were sent."""
_EXEMPLARS_LIMIT: Final = 500
_NO_SPAN: Final = bytes(8)
_SECOND: Final = 1_000_000
_AHEAD: Final = 60 * _SECOND
"""How far ahead of ours a sender's clock may be before it is told."""
_BEHIND: Final = 1_000
_OLDEST: Final = 946_684_800 * _SECOND
"""The year 2000: what is older than that has no clock."""


@dataclass(slots=True)
class TracedSpan:
    """A span of a trace.

    Attributes:
        span: as it was sent.
        resource: id of its resource.
        scope: id of its scope.
        service: that sent it.
        start: microseconds since the epoch.
        duration: microseconds, 0 if it ended before it began.
        written: when it was received, or somewhat later.
        received: its number in the order of arrival.
        id: of the span; differs from that in `span` where both sides of a call sent one id.
        parent: id of the parent, empty if there is none.
        warnings: sentences for people.
    """

    span: Span
    resource: int
    scope: int
    service: str
    start: int
    duration: int
    written: int
    received: int
    id: bytes
    parent: bytes
    warnings: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        """When it ended, in microseconds since the epoch."""
        return self.start + self.duration

    @property
    def node(self) -> Node:
        """What the critical path is found by."""
        return Node(self.id, self.parent, self.start, self.end, served=self.span.kind == Span.SPAN_KIND_SERVER)


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A measurement taken within a trace."""

    instrument: str
    service: str
    attributes: str
    time: int
    value: float | None
    span: bytes


@dataclass(slots=True)
class Trace:
    """A trace.

    Attributes:
        id: its id.
        spans: by start.
        resources: by id.
        scopes: by id.
        duplicates: spans that were received again.
        missing_parents: ids of spans that are parents but are not here.
        exemplars: measurements taken within, by time.
        warnings: sentences about the trace as a whole.
    """

    id: bytes
    spans: list[TracedSpan]
    resources: dict[int, Resource]
    scopes: dict[int, InstrumentationScope]
    duplicates: int
    missing_parents: list[bytes]
    exemplars: list[Exemplar] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


_SPANS: Final = """
SELECT s.id, s.resource, s.scope, r.service, s.start, s.duration, coalesce(k.written, 0) FROM spans s
JOIN resources r ON r.id = s.resource LEFT JOIN span_blocks k ON k.block = s.id >> 11
WHERE s.trace = ? ORDER BY s.start, s.id LIMIT ?
"""


def trace_of(connection: sqlite3.Connection, trace: bytes, *, limit: int = SPANS_LIMIT) -> Trace | None:
    """Return a trace with its earliest `limit` spans, None if no span of it is there."""
    (count,) = connection.execute("SELECT count(*) FROM spans WHERE trace = ?", (trace,)).fetchone()
    received = list(_received(connection, trace, limit))
    if not received:
        return None
    spans = _each_once(received)
    is_whole = len(received) == count
    found = Trace(
        id=trace,
        spans=sorted(spans, key=lambda span: (span.start, -span.duration, span.id)),
        resources=_bodies(connection, "resources", Resource, {span.resource for span in spans}),
        scopes=_bodies(connection, "scopes", InstrumentationScope, {span.scope for span in spans}),
        duplicates=len(received) - len(spans),
        missing_parents=list(dict.fromkeys(_missing_parents(spans))) if is_whole else [],
    )
    if not is_whole:
        found.warnings.append(f"this trace has {count:,} spans; only the first {len(received):,} are shown")
    _warn(found)
    return found


def _received(connection: sqlite3.Connection, trace: bytes, limit: int) -> Iterator[TracedSpan]:
    """Yield a trace's spans by start, as they were received, until they are many or large."""
    size = 0
    for row in connection.execute(_SPANS, (trace, limit)).fetchall():
        (body,) = connection.execute("SELECT body FROM span_bodies WHERE id = ?", (row[0],)).fetchone()
        yield _traced(row, body)
        size += len(body)
        if size >= _BYTES_LIMIT:
            return


def exemplars_of(connection: sqlite3.Connection, trace: bytes) -> list[Exemplar]:
    """Return the measurements taken within a trace, by time."""
    rows = connection.execute(
        "SELECT i.name, i.service, s.attributes, e.time, e.value, coalesce(e.span, x'') FROM exemplars e"
        " JOIN series s ON s.id = e.series JOIN instruments i ON i.id = s.instrument"
        " WHERE e.trace = ? ORDER BY e.time LIMIT ?",
        (trace, _EXEMPLARS_LIMIT),
    )
    return [Exemplar(*row) for row in rows]


def _traced(row: tuple[Any, ...], body: bytes) -> TracedSpan:
    received, resource, scope, service, start, duration, written = row
    span, is_whole = span_of(body)
    parent = b"" if span.parent_span_id == _NO_SPAN else span.parent_span_id
    traced = TracedSpan(span, resource, scope, service, start, duration, written, received, span.span_id, parent)
    if not is_whole:
        traced.warnings.append(NESTED_TOO_DEEP)
    return traced


def _bodies(connection: sqlite3.Connection, table: str, kind: Any, ids: Iterable[int]) -> dict[int, Any]:
    find = f"SELECT body FROM {table} WHERE id = ?"  # noqa: S608 - our own names
    return {number: kind.FromString(connection.execute(find, (number,)).fetchone()[0]) for number in ids}


def _each_once(received: Sequence[TracedSpan]) -> list[TracedSpan]:
    """Return the last received of the spans with one id; both sides of a call may share one, as in Zipkin."""
    copies = Counter((span.id, _is_served(span)) for span in received)
    in_order = sorted(received, key=lambda span: span.received)
    latest = {(span.id, _is_served(span)): span for span in in_order}
    for key, span in latest.items():
        if copies[key] > 1:
            span.warnings.append(f"received {copies[key]} times; the last received is shown")
    _part_shared_ids(latest)
    return list(latest.values())


def _is_served(span: TracedSpan) -> bool:
    return span.span.kind == Span.SPAN_KIND_SERVER


def _part_shared_ids(latest: Mapping[tuple[bytes, bool], TracedSpan]) -> None:
    """Give the server's side of a call an id of its own, and its parent, where the client's has the same id."""
    taken = {id_ for id_, _ in latest}
    parted: dict[bytes, bytes] = {}
    for (id_, is_served), span in latest.items():
        if is_served and (id_, False) in latest:
            span.id = parted[id_] = _free_id(taken)
            span.parent = id_
            span.warnings.append(f"client and server share the span id {id_.hex()}; the server's is shown as another")
    for span in latest.values():
        if span.parent in parted and span.id != parted[span.parent]:
            span.parent = parted[span.parent]


def _free_id(taken: set[bytes]) -> bytes:
    number = next(number for number in range(1, len(taken) + 2) if number.to_bytes(8) not in taken)
    taken.add(number.to_bytes(8))
    return number.to_bytes(8)


def _missing_parents(spans: Iterable[TracedSpan]) -> Iterator[bytes]:
    spans = list(spans)
    known = {span.id for span in spans}
    return (span.parent for span in spans if span.parent and span.parent not in known)


def _warn(trace: Trace) -> None:
    by_id = {span.id: span for span in trace.spans}
    missing = set(trace.missing_parents)
    for span in trace.spans:
        span.warnings += _about_time(span)
        span.warnings += _about_losses(span.span)
        if span.parent in missing:
            span.warnings.append(f"its parent {span.parent.hex()} has not been received")
        parent = by_id.get(span.parent)
        if parent and span.start < parent.start - _BEHIND:
            early = (parent.start - span.start) / 1000
            span.warnings.append(f"begins {early:,.1f} ms before its parent: their clocks may differ")
    for span in _in_circles(trace.spans, by_id):
        span.warnings.append("is its own ancestor: its parents form a circle")


def _about_time(span: TracedSpan) -> Iterator[str]:
    begin, end = span.span.start_time_unix_nano, span.span.end_time_unix_nano
    if end < begin:
        yield f"ended {(begin - end) / 1e6:,.3f} ms before it began; shown without duration"
    if span.written and span.start > span.written + _AHEAD:
        ahead = (span.start - span.written) // _SECOND
        yield f"begins {ahead:,} s after it was received: the sender's clock is ahead"
    if span.start < _OLDEST:
        yield f"begins at {datetime.fromtimestamp(span.start // _SECOND, UTC):%Y-%m-%d}: the sender's clock is not set"


def _about_losses(span: Span) -> Iterator[str]:
    dropped = {
        "attributes": span.dropped_attributes_count,
        "events": span.dropped_events_count,
        "links": span.dropped_links_count,
    }
    for name, count in dropped.items():
        if count:
            yield f"{count:,} of its {name} were dropped by the sender"


def _in_circles(spans: Iterable[TracedSpan], by_id: Mapping[bytes, TracedSpan]) -> Iterator[TracedSpan]:
    """Yield the spans that are their own ancestors; each span is visited twice at most."""
    state: dict[bytes, int] = {}
    for number, span in enumerate(spans, 1):
        at: TracedSpan | None = span
        while at and at.id not in state:
            state[at.id] = number
            at = by_id.get(at.parent)
        if at and state[at.id] == number:  # this walk came back to where it had been
            first = at
            yield first
            at = by_id[first.parent]
            while at.id != first.id:
                yield at
                at = by_id[at.parent]
