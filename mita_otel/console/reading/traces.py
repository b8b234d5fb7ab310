"""Searches for traces: which ones have a span that matches."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.clauses import Candidate, Clause, attributed, failed, lasting, operated
from mita_otel.console.reading.conditions import Condition
from mita_otel.console.reading.decoding import span_of
from mita_otel.console.reading.walk import ALWAYS, HIGHEST_ID, Place, Stretch, bloom_allows, places, searched_to

_BLOCKS_AT_ONCE: Final = 64
"""Blocks whose operations are looked up together."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What one span of a trace must be; what is empty or None does not matter. Durations in microseconds."""

    service: str = ""
    operation: str = ""
    conditions: tuple[Condition, ...] = ()
    shortest: int = 0
    longest: int | None = None
    failed: bool = False
    stretch: Stretch = ALWAYS


@dataclass(slots=True)
class Found:
    """Traces, those that were received last first.

    Attributes:
        traces: ids of traces, each with the id of the span that was found.
        next: search on for spans with lower ids; None if all is searched.
        searched_to: start of the oldest span that was looked at, None if there is no span at all.
    """

    traces: dict[bytes, int] = field(default_factory=dict)
    next: int | None = None
    searched_to: int | None = None


def find_traces(
    connection: sqlite3.Connection, query: TraceQuery, *, limit: int, budget: Budget, before: int = HIGHEST_ID
) -> Found:
    """Search for traces among the spans with ids below `before`, until `limit` are found or the time is over.

    At least one block is searched, however little time there is.
    """
    found = Found()
    search = _Search(connection, query)
    lowest = before
    for place in search.candidates(before):
        for span, trace in search.matches(place):
            found.traces.setdefault(trace, span)
            if len(found.traces) == limit:
                found.next = span
                found.searched_to = searched_to(connection, "spans", "start", span)
                return found
        lowest = place.lowest
        if budget.is_spent:
            found.next = lowest
            break
    found.searched_to = searched_to(connection, "spans", "start", 0 if found.next is None else lowest)
    return found


class _Search:
    """The tests of one query, for blocks, rows and spans."""

    __slots__ = ("_clauses", "_connection", "_statement", "_values", "stretch")

    def __init__(self, connection: sqlite3.Connection, query: TraceQuery) -> None:
        self._connection = connection
        self._clauses = list(_clauses_of(connection, query))
        self.stretch = query.stretch
        times, limits = query.stretch.test("r.start", "r.start")
        join = "JOIN span_bodies b ON b.id = r.id" if self._checks() else ""
        body = "b.body" if self._checks() else "NULL"
        tests = " AND ".join(f"({clause.test})" for clause in self._clauses) or "1"
        self._statement = (
            f"SELECT r.id, r.trace, r.operation, r.resource, r.scope, {body} FROM spans r {join}"  # noqa: S608 - our own text
            f" WHERE r.id BETWEEN ? AND ? AND {times} AND {tests} ORDER BY r.id DESC"
        )
        self._values = (*limits, *(value for clause in self._clauses for value in clause.parameters))

    def _checks(self) -> list[Clause]:
        return [clause for clause in self._clauses if clause.check]

    def candidates(self, before: int) -> Iterator[Place]:
        """Yield the blocks that may have matching spans with ids below `before`, newest first."""
        tokens = [clause.tokens for clause in self._clauses if clause.tokens]
        for place in self._busy(places(self._connection, "span_blocks", self.stretch, after=-1, before=before)):
            if bloom_allows(self._connection, "span_blocks", place.block, tokens):
                yield place

    def _busy(self, all_places: Iterator[Place]) -> Iterator[Place]:
        """Yield the places whose blocks have operations that are meant, with durations and errors that are."""
        tests = list(_block_tests(self._clauses))
        if not tests:
            yield from all_places
            return
        while chunk := list(islice(all_places, _BLOCKS_AT_ONCE)):
            busy = None
            for test, values in tests:
                statement = f"SELECT block FROM span_block_operations WHERE block BETWEEN ? AND ? AND {test}"  # noqa: S608 - our own text
                rows = self._connection.execute(statement, (chunk[-1].block, chunk[0].block, *values))
                blocks = {row[0] for row in rows}
                busy = blocks if busy is None else busy & blocks
            yield from (place for place in chunk if busy is None or place.block in busy)

    def matches(self, place: Place) -> Iterator[tuple[int, bytes]]:
        """Yield the ids of the spans that match, and of their traces."""
        checks = [clause.check for clause in self._clauses if clause.check]
        rows = self._connection.execute(self._statement, (place.lowest, place.highest, *self._values))
        for number, trace, operation, resource, scope, body in rows:
            if checks:
                candidate = Candidate(operation, resource, scope, span_of(body)[0])
                if not all(check(candidate) for check in checks):
                    continue
            yield number, trace


def _clauses_of(connection: sqlite3.Connection, query: TraceQuery) -> Iterator[Clause]:
    if query.service or query.operation:
        yield operated(connection, query.service, query.operation)
    if query.shortest or query.longest is not None:
        yield lasting(query.shortest, query.longest)
    if query.failed:
        yield failed()
    for condition in query.conditions:
        yield attributed(connection, condition)


def _block_tests(clauses: Sequence[Clause]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield tests of a block's totals for an operation, all of which some row of the block must pass."""
    wanted = [clause for clause in clauses if clause.operations is not None]
    shortest = max((clause.shortest for clause in clauses), default=0)
    is_failed = any(clause.failed for clause in clauses)
    if not wanted and not shortest and not is_failed:
        return
    totals = "longest >= ?"
    totals += " AND errors > 0" if is_failed else ""
    for clause in wanted:
        yield f"operation IN (SELECT value FROM json_each(?)) AND {totals}", (*clause.parameters, shortest)  # noqa: S608 - as above
    if not wanted:
        yield f"operation IN (SELECT id FROM operations) AND {totals}", (shortest,)  # noqa: S608 - as above
