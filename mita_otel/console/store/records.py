"""Writes log records: rows, bodies and blocks."""

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from mita_otel.console.store import wire
from mita_otel.console.store.blocks import BLOCK_SHIFT, BLOCK_SIZE, value_text, word_token, words_of
from mita_otel.console.store.names import Origin
from mita_otel.console.store.open_block import OpenBlock
from mita_otel.console.store.outcome import Outcome
from mita_otel.console.store.telling import Telling
from mita_otel.console.store.values import value_of

_TRACE_BYTES: Final = 16
_HIGHEST_SEVERITY: Final = 24
_LONG_TEXT: Final = 256 * 1024
"""Characters of a body from which on its words are not taken apart."""


class RecordWriter:
    """Writes log records within the transactions of the connection; `flush` must come before each commit."""

    def __init__(self, connection: sqlite3.Connection, first: int = 1) -> None:
        """Go on after the highest id that is stored, and with `first` at the lowest."""
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self._bodies: list[tuple[int, bytes]] = []
        self._telling = Telling(connection)
        self._severest = 0
        (highest,) = connection.execute("SELECT max(id) FROM records").fetchone()
        self._next = max((highest or 0) + 1, first)
        self._block = self._open_block()

    @property
    def next_id(self) -> int:
        """The id that the next log record will get."""
        return self._next

    def _open_block(self) -> OpenBlock:
        number = self._next >> BLOCK_SHIFT
        columns = "SELECT first, last, records, bloom, severest FROM record_blocks WHERE block = ?"
        stored = self._connection.execute(columns, (number,)).fetchone()
        self._severest = stored[4] if stored else 0
        return OpenBlock(number, stored[:4] if stored else None)

    def write(self, origin: Origin, items: Iterable[bytes], now: int, outcome: Outcome) -> None:
        """Write serialized log records of one origin, as `SpanWriter.write` does spans."""
        for item in items:
            if origin.body not in self._block.seen:
                self._block.learn_resource(origin.body)
            try:
                self._add(origin, item, now)
            except DecodeError:
                outcome.refuse("malformed log record: invalid UTF-8, or values nested more than 40 deep")
            else:
                outcome.accepted += 1
            if self._rows and self._next & (BLOCK_SIZE - 1) == 0:
                self._turn(now)

    def _turn(self, now: int) -> None:
        self.flush(now)
        self._severest = 0
        self._block = OpenBlock(self._next >> BLOCK_SHIFT)

    def leave_block(self) -> None:
        """Write to a new block from now on, so that nothing of the present one is needed any more."""
        if self._block.count:
            self._next = (self._block.number + 1) << BLOCK_SHIFT
            self._turn(0)

    def _add(self, origin: Origin, item: bytes, now: int) -> None:
        record = wire.LogRecord.FromString(item)
        block = self._block
        attributes = list(record.attributes)  # once, as each look makes new objects of bytes
        for attribute in attributes:
            if attribute not in block.seen:
                block.learn(attribute)
        if record.body and record.body not in block.seen:
            self._learn_text(record.body)
        time = (record.time or record.observed) // 1000 or now
        severity = min(max(record.severity, 0), _HIGHEST_SEVERITY)
        trace = record.trace_id
        has_trace = len(trace) == _TRACE_BYTES and any(trace)
        row = (self._next, time, severity, origin.resource, origin.scope, trace if has_trace else None)
        self._rows.append(row)
        self._bodies.append((self._next, item))
        self._telling.hear(self._next, time, origin.service, attributes, now)
        self._next += 1
        block.count += 1
        block.first = min(block.first, time)
        block.last = max(block.last, time)
        self._severest = max(self._severest, severity)

    def _learn_text(self, body: bytes) -> None:
        block = self._block
        text = value_text(value_of(AnyValue.FromString(body)))
        if len(text) > _LONG_TEXT:
            block.learn_anything()
        else:
            for word in words_of(text):
                block.learn_token(word_token(word))
        block.remember(body)

    def flush(self, now: int) -> None:
        """Write what is collected."""
        if not self._rows:
            return
        self._connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", self._rows)
        self._connection.executemany("INSERT INTO record_bodies VALUES (?, ?)", self._bodies)
        self._rows.clear()
        self._bodies.clear()
        self._telling.flush()
        block = self._block
        self._connection.execute(
            "INSERT OR REPLACE INTO record_blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
            (block.number, block.first, block.last, block.count, self._severest, now, block.bloom),
        )
