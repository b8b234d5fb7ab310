"""What is asked of spans, as tests: of blocks, of rows, and of decoded spans."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import orjson
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mita_otel.console.reading.conditions import Condition, origins_with, sql_for
from mita_otel.console.store.schema import ERROR, OTHER_OPERATION

KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""Names of the span kinds, at the place of their number."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span whose row passed the tests."""

    operation: int
    resource: int
    scope: int
    span: Span


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is asked.

    Attributes:
        test: an expression over the row `r` and, if there is a `check`, the body `b`.
        parameters: of the expression.
        tokens: the filter of a block must have one of them; empty if filters tell nothing.
        check: what the decoded span must pass.
        operations: ids of which the operation must be one, None for any.
        shortest: least duration, in microseconds.
        failed: only spans with an error.
    """

    test: str = "1"
    parameters: tuple[int | str | bytes, ...] = ()
    tokens: tuple[str, ...] = ()
    check: Callable[[Candidate], bool] | None = None
    operations: frozenset[int] | None = None
    shortest: int = 0
    failed: bool = False


def lasting(shortest: int, longest: int | None) -> Clause:
    """Ask for durations between two, in microseconds; None for no longest."""
    if longest is None:
        return Clause("r.duration >= ?", (shortest,), shortest=shortest)
    return Clause("r.duration BETWEEN ? AND ?", (shortest, longest), shortest=shortest)


def failed(*, wanted: bool = True) -> Clause:
    """Ask for spans whose status is an error, or for the others."""
    return Clause(f"r.flags & {ERROR}", failed=True) if wanted else Clause(f"NOT r.flags & {ERROR}")


def operated(connection: sqlite3.Connection, service: str, name: str, kind: str = "") -> Clause:
    """Ask for a service, an operation's name, a span kind; each of them may be empty for any."""
    number = KINDS.index(kind) if kind else None
    rows = connection.execute(
        "SELECT id, service, name, kind FROM operations WHERE (?1 = '' OR service IN (?1, ?4))"
        " AND (?2 = '' OR name IN (?2, ?4)) AND (?3 IS NULL OR kind = ?3 OR name = ?4)",
        (service, name, number, OTHER_OPERATION),
    ).fetchall()
    doubtful = frozenset(row[0] for row in rows if row[2] == OTHER_OPERATION != name)
    wanted = frozenset(row[0] for row in rows)
    test = "r.operation IN (SELECT value FROM json_each(?))"
    parameters = (_json(wanted),)
    if not doubtful:
        return Clause(test, parameters, operations=wanted)
    resources = frozenset(
        row[0] for row in connection.execute("SELECT id FROM resources WHERE ?1 = '' OR service = ?1", (service,))
    )

    def is_meant(candidate: Candidate) -> bool:
        return candidate.operation not in doubtful or (
            candidate.resource in resources
            and name in {"", candidate.span.name}
            and number in {None, candidate.span.kind}
        )

    return Clause(test, parameters, check=is_meant, operations=wanted)


def attributed(connection: sqlite3.Connection, condition: Condition) -> Clause:
    """Ask for an attribute of the span, its events, its resource or its scope, or for what Jaeger shows as one."""
    match condition.key, condition.text:
        case "error", "true" | "false":
            return failed(wanted=condition.text == "true")
        case "otel.status_code", "ERROR":
            return failed()
        case "span.kind", kind if kind in KINDS:
            return operated(connection, "", "", kind)
        case "otel.scope.name" | "otel.library.name", name:
            rows = connection.execute("SELECT id FROM scopes WHERE name = ?", (name,))
            return Clause("r.scope IN (SELECT value FROM json_each(?))", (_json([row[0] for row in rows]),))
        case key, text if text and key in _SHOWN:
            return _shown(condition, _SHOWN[key])
    return _plain(connection, condition)


def _plain(connection: sqlite3.Connection, condition: Condition) -> Clause:
    origins = origins_with(connection, condition)
    test, parameters = sql_for(condition, origins)

    def has(candidate: Candidate) -> bool:
        return (
            candidate.resource in origins.resources
            or candidate.scope in origins.scopes
            or _has_attribute(candidate.span, condition)
        )

    # Attributes of scopes are not in the filters.
    return Clause(test, tuple(parameters), () if origins.scopes else condition.tokens, has)


def _shown(condition: Condition, shown: Callable[[Span], Iterable[str]]) -> Clause:
    text = condition.text

    def has(candidate: Candidate) -> bool:
        return text in shown(candidate.span) or _has_attribute(candidate.span, condition)

    # "OK" is the number 1 in field 3 of the status; the others stand there as they are.
    encoded = b"\x18\x01" if condition.key == "otel.status_code" else text.encode("utf-8", "surrogatepass")
    tokens = condition.tokens if condition.key == "event" else ()
    return Clause("instr(b.body, ?) > 0", (encoded,), tokens, has)


def _has_attribute(span: Span, condition: Condition) -> bool:
    return condition.is_met_by(span.attributes) or any(condition.is_met_by(event.attributes) for event in span.events)


_SHOWN: Final[dict[str, Callable[[Span], Iterable[str]]]] = {
    "event": lambda span: [event.name for event in span.events],
    "otel.status_code": lambda span: ["OK"] if span.status.code == Status.STATUS_CODE_OK else [],
    "otel.status_description": lambda span: [span.status.message],
    "w3c.tracestate": lambda span: [span.trace_state],
}
"""What Jaeger shows as attributes although it is none; the writer puts names of events into the filters, too."""


def _json(ids: Iterable[int]) -> str:
    return orjson.dumps(sorted(ids)).decode()
