"""Writes spans: rows, bodies, blocks, and what the service map and the rates need of them."""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.trace.v1.trace_pb2 import Span as FullSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from mita_otel.console.store import wire
from mita_otel.console.store.blocks import BLOCK_SHIFT, BLOCK_SIZE, token_of
from mita_otel.console.store.edges import Edges
from mita_otel.console.store.minutes import MINUTE, Minutes
from mita_otel.console.store.names import Names, Origin
from mita_otel.console.store.open_block import OpenBlock
from mita_otel.console.store.outcome import Outcome
from mita_otel.console.store.peers import peer_of
from mita_otel.console.store.schema import DATABASE_PEER, ERROR, ROOT

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)
_NO_PARENTS: Final = (b"", _NO_SPAN)
_SERVED: Final = frozenset({FullSpan.SPAN_KIND_SERVER, FullSpan.SPAN_KIND_CONSUMER})
_CALLING: Final = frozenset({FullSpan.SPAN_KIND_CLIENT, FullSpan.SPAN_KIND_PRODUCER})
_HIGHEST_KIND: Final = 5
_DAY: Final = 24 * 60 * MINUTE
"""Calls that began farther from now than this, in microseconds, count in no rate: there is no end of absurd times."""


class SpanWriter:
    """Writes spans within the transactions of the connection; `flush` must come before each commit."""

    def __init__(self, connection: sqlite3.Connection, names: Names, first: int = 1) -> None:
        """Go on after the highest id that is stored, and with `first` at the lowest."""
        self._connection = connection
        self._names = names
        self._minutes = Minutes(connection)
        self._edges = Edges(connection)
        self._rows: list[tuple[Any, ...]] = []
        self._bodies: list[tuple[int, bytes]] = []
        self._operations: dict[int, list[int]] = {}
        self._touched: set[int] = set()
        (highest,) = connection.execute("SELECT max(id) FROM spans").fetchone()
        self._next = max((highest or 0) + 1, first)
        self._block = self._open_block()

    @property
    def next_id(self) -> int:
        """The id that the next span will get."""
        return self._next

    def _open_block(self) -> OpenBlock:
        """Go on with the block of the next id, of which rows may be stored."""
        number = self._next >> BLOCK_SHIFT
        columns = "SELECT first, last, spans, bloom FROM span_blocks WHERE block = ?"
        stored = self._connection.execute(columns, (number,)).fetchone()
        totals = "SELECT operation, spans, errors, longest FROM span_block_operations WHERE block = ?"
        self._operations = {row[0]: list(row[1:]) for row in self._connection.execute(totals, (number,))}
        return OpenBlock(number, stored)

    def write(self, origin: Origin, items: Iterable[bytes], now: int, outcome: Outcome) -> None:
        """Write serialized spans of one origin; those that are refused are told to `outcome`, the others are written.

        Args:
            origin: who sent them.
            items: the spans.
            now: microseconds since the epoch.
            outcome: what is to be answered.
        """
        for item in items:
            if origin.body not in self._block.seen:
                self._block.learn_resource(origin.body)
            try:
                self._add(origin, item, now)
            except DecodeError:
                outcome.refuse("malformed span: invalid UTF-8, or values nested more than 40 deep")
            except ValueError as error:
                outcome.refuse(str(error))
            else:
                outcome.accepted += 1
            if self._rows and self._next & (BLOCK_SIZE - 1) == 0:
                self._turn(now)

    def _turn(self, now: int) -> None:
        self.flush(now)
        self._operations.clear()
        self._block = OpenBlock(self._next >> BLOCK_SHIFT)

    def leave_block(self) -> None:
        """Write to a new block from now on, so that nothing of the present one is needed any more."""
        if self._block.count:
            self._next = (self._block.number + 1) << BLOCK_SHIFT
            self._turn(0)

    def _add(self, origin: Origin, item: bytes, now: int) -> None:
        span = wire.Span.FromString(item)
        trace, own, kind = span.trace_id, span.span_id, span.kind
        if len(trace) != 16 or len(own) != 8 or trace == _NO_TRACE or own == _NO_SPAN:  # noqa: PLR2004 - as specified
            raise ValueError("trace_id must be 16 bytes and span_id 8 bytes, not all of them zero")
        attributes = span.attributes[:]
        block = self._block
        seen = block.seen
        for attribute in attributes:
            if attribute not in seen:
                block.learn(attribute)
        if span.events or span.links:
            self._learn_inner(span)
        error = self._error_of(span.status) if span.status else 0
        start = span.start // 1000
        duration = max(span.end // 1000 - start, 0)
        operation = self._names.operation((origin.service, span.name, kind if 0 <= kind <= _HIGHEST_KIND else 0))
        is_root = span.parent_span_id in _NO_PARENTS
        self._rows.append(
            (
                self._next,
                trace,
                operation,
                origin.resource,
                origin.scope,
                start,
                duration,
                error * ERROR + is_root * ROOT,
            )
        )
        self._bodies.append((self._next, item))
        self._next += 1
        self._count_in_block(operation, start, duration, error)
        if -_DAY < now - start < _DAY:
            minute = start // MINUTE
            self._minutes.add(minute, operation, duration, error)
            self._see_call(origin.service, span, attributes, minute, error)

    def _learn_inner(self, span: Any) -> None:
        """Take in events, and check links, which nobody searches for."""
        block = self._block
        for serialized in span.events:
            event = FullSpan.Event.FromString(serialized)
            block.learn_token(token_of("event", event.name))
            for pair in event.attributes:
                attribute = pair.SerializeToString()
                if attribute not in block.seen:
                    block.learn(attribute)
        for serialized in span.links:
            FullSpan.Link.FromString(serialized)

    def _error_of(self, status: bytes) -> int:
        return int(Status.FromString(status).code == Status.STATUS_CODE_ERROR)

    def _count_in_block(self, operation: int, start: int, duration: int, error: int) -> None:
        block = self._block
        block.count += 1
        block.first = min(block.first, start)
        block.last = max(block.last, start)
        self._touched.add(operation)
        totals = self._operations.get(operation)
        if totals is None:
            self._operations[operation] = [1, error, duration]
        else:
            totals[0] += 1
            totals[1] += error
            totals[2] = max(totals[2], duration)

    def _see_call(self, service: str, span: Any, attributes: list[bytes], minute: int, error: int) -> None:
        kind = span.kind
        peer = peer_of(attributes) if kind in _CALLING else None
        if peer and peer.startswith(DATABASE_PEER):
            self._edges.see_leaf(minute, service, peer, error)
            return
        trace = span.trace_id
        self._edges.see(trace + span.span_id, minute, service, peer, error)
        if kind in _SERVED and span.parent_span_id not in _NO_PARENTS:
            self._edges.see_served(trace + span.parent_span_id, minute, service, error)

    def flush(self, now: int) -> None:
        """Write what is collected."""
        if not self._rows:
            return
        run = self._connection.executemany
        run("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._rows)
        run("INSERT INTO span_bodies VALUES (?, ?)", self._bodies)
        self._rows.clear()
        self._bodies.clear()
        block = self._block
        self._connection.execute(
            "INSERT OR REPLACE INTO span_blocks VALUES (?, ?, ?, ?, ?, ?)",
            (block.number, block.first, block.last, block.count, now, block.bloom),
        )
        run(
            "INSERT OR REPLACE INTO span_block_operations VALUES (?, ?, ?, ?, ?)",
            [(operation, block.number, *self._operations[operation]) for operation in self._touched],
        )
        self._touched.clear()
        self._minutes.flush()
        self._edges.flush()
