"""Searches for log records."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.conditions import Condition, origins_with, sql_for
from mita_otel.console.reading.decoding import record_of
from mita_otel.console.reading.walk import ALWAYS, HIGHEST_ID, Place, Stretch, bloom_allows, places, searched_to
from mita_otel.console.store.blocks import token_of, value_text, word_token, words_of
from mita_otel.console.store.names import UNKNOWN_SERVICE
from mita_otel.console.store.values import attributes_of, value_of

_LONGEST_NAME: Final = 1_000
"""Names of services longer than this may have been cut by the writer, so that filters do not tell."""
_BYTES_LIMIT: Final = 8 * 1024 * 1024
"""Of the records of an answer, as they were sent; the search goes on after the one that reached it."""
_BEGINNING: Final = re.compile(r"(\w+)\*")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What a log record must be; what is empty or None does not matter.

    Attributes:
        text: words that all must be in the body; `time*` stands for any word that begins so.
        severity: least severity number, 0 to 24.
        service: that sent it.
        trace: id of its trace.
        span: id of its span.
        conditions: on its attributes, those of its resource or of its scope.
        stretch: of its time.
    """

    text: str = ""
    severity: int = 0
    service: str = ""
    trace: bytes = b""
    span: bytes = b""
    conditions: tuple[Condition, ...] = ()
    stretch: Stretch = ALWAYS


@dataclass(frozen=True, slots=True)
class Record:
    """A log record; `time` in microseconds since the epoch."""

    id: int
    time: int
    severity: int
    resource: int
    scope: int
    record: LogRecord
    is_whole: bool


@dataclass(slots=True)
class FoundRecords:
    """Log records, those that were received last first.

    Attributes:
        records: those that match.
        next: search on for records with lower ids; None if all is searched.
        searched_to: time of the oldest record that was looked at, None if there is none.
        services: names by id of the resource.
        resources: attributes by id of the resource.
        scopes: names by id of the scope.
    """

    records: list[Record] = field(default_factory=list)
    next: int | None = None
    searched_to: int | None = None
    services: dict[int, str] = field(default_factory=dict)
    resources: dict[int, dict[str, Any]] = field(default_factory=dict)
    scopes: dict[int, str] = field(default_factory=dict)


def find_records(
    connection: sqlite3.Connection,
    query: LogQuery,
    *,
    limit: int,
    budget: Budget,
    before: int = HIGHEST_ID,
    after: int = -1,
) -> FoundRecords:
    """Search for records with ids between two, until `limit` or some megabytes are found or the time is over.

    At least one block is searched, however little time there is.
    """
    search = _Search(connection, query)
    found = FoundRecords()
    size = 0
    for place in search.candidates(after, before):
        for record in search.matches(place):
            found.records.append(record)
            size += record.record.ByteSize()
            if len(found.records) == limit or size >= _BYTES_LIMIT:
                found.next = record.id
                break
        if found.next is None and budget.is_spent:
            found.next = place.lowest
        if found.next is not None:
            break
    found.searched_to = searched_to(connection, "records", "time", found.next or 0)
    _add_origins(connection, found)
    return found


def words_sought(text: str) -> tuple[set[str], set[str]]:
    """Return the words that a text asks for, and how further words must begin; both empty if it asks for nothing."""
    beginnings = {word.casefold() for word in _BEGINNING.findall(text)}
    return words_of(_BEGINNING.sub(" ", text)), beginnings


class _Search:
    """The tests of one query, for blocks, rows and records."""

    __slots__ = ("_checks", "_connection", "_query", "_statement", "_tokens", "_values")

    def __init__(self, connection: sqlite3.Connection, query: LogQuery) -> None:
        self._connection = connection
        self._query = query
        self._tokens: list[tuple[str, ...]] = []
        self._checks: list[Callable[[Record], bool]] = []
        times, limits = query.stretch.test("r.time", "r.time")
        tests: list[str] = [times]
        self._values: list[Any] = [*limits]
        for test, values in self._tests():
            tests.append(test)
            self._values += values
        self._statement = (
            "SELECT r.id, r.time, r.severity, r.resource, r.scope, b.body FROM records r"  # noqa: S608 - our own text
            f" JOIN record_bodies b ON b.id = r.id WHERE r.id BETWEEN ? AND ? AND {' AND '.join(tests)}"
            " ORDER BY r.id DESC"
        )

    def _tests(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield tests of a row with their parameters; note tokens of blocks and checks of records."""
        query = self._query
        if query.severity:
            yield "r.severity >= ?", [query.severity]
        if query.trace:
            yield "r.trace = ?", [query.trace]
        if query.span:
            self._checks.append(lambda record: record.record.span_id == query.span)
            yield "instr(b.body, ?) > 0", [query.span]
        if query.service:
            if query.service != UNKNOWN_SERVICE and len(query.service) < _LONGEST_NAME:  # unknown ones do not say so
                self._tokens.append((token_of("service.name", query.service),))
            yield "r.resource IN (SELECT id FROM resources WHERE service = ?)", [query.service]
        if query.text:
            self._look_for(query.text)
        for condition in query.conditions:
            yield self._attributed(condition)

    def _attributed(self, condition: Condition) -> tuple[str, list[Any]]:
        origins = origins_with(self._connection, condition)
        if not origins.scopes:
            self._tokens.append(condition.tokens)
        self._checks.append(
            lambda record: (
                record.resource in origins.resources
                or record.scope in origins.scopes
                or condition.is_met_by(record.record.attributes)
            )
        )
        test, values = sql_for(condition, origins)
        return test, [*values]

    def _look_for(self, text: str) -> None:
        words, beginnings = words_sought(text)
        self._tokens += [(word_token(word),) for word in words]

        def has(record: Record) -> bool:
            body = value_text(value_of(record.record.body))
            folded = body.casefold()
            if not all(word in folded for word in words) or not all(word in folded for word in beginnings):
                return False
            found = words_of(body)
            return words <= found and all(any(one.startswith(word) for one in found) for word in beginnings)

        self._checks.append(has)

    def candidates(self, after: int, before: int) -> Iterator[Place]:
        """Yield the places where matching records with ids between two may be, newest first."""
        if self._query.trace:
            yield from self._places_of_trace(self._query.trace, after, before)
            return
        test = f"severest >= {self._query.severity:d}"
        for place in places(
            self._connection, "record_blocks", self._query.stretch, after=after, before=before, test=test
        ):
            if bloom_allows(self._connection, "record_blocks", place.block, self._tokens):
                yield place

    def _places_of_trace(self, trace: bytes, after: int, before: int) -> Iterator[Place]:
        find = "SELECT DISTINCT id >> 11 FROM records WHERE trace = ? AND id > ? AND id < ? ORDER BY 1 DESC"
        for (block,) in self._connection.execute(find, (trace, after, before)).fetchall():
            yield Place.of(block, after, before)

    def matches(self, place: Place) -> Iterator[Record]:
        """Yield the records that match."""
        rows = self._connection.execute(self._statement, (place.lowest, place.highest, *self._values))
        for id_, time, severity, resource, scope, body in rows:
            record = Record(id_, time, severity, resource, scope, *record_of(body))
            if all(check(record) for check in self._checks):
                yield record


def _add_origins(connection: sqlite3.Connection, found: FoundRecords) -> None:
    for number in {record.resource for record in found.records}:
        find = "SELECT service, body FROM resources WHERE id = ?"
        service, body = connection.execute(find, (number,)).fetchone()
        found.services[number] = service
        found.resources[number] = attributes_of(Resource.FromString(body).attributes)
    for number in {record.scope for record in found.records}:
        (body,) = connection.execute("SELECT body FROM scopes WHERE id = ?", (number,)).fetchone()
        found.scopes[number] = InstrumentationScope.FromString(body).name
