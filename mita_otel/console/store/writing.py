"""The one that writes: items of all three signals, in transactions."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped

from mita_otel.console.store.counters import Counters
from mita_otel.console.store.names import Names
from mita_otel.console.store.outcome import Outcome
from mita_otel.console.store.points import PointWriter
from mita_otel.console.store.records import RecordWriter
from mita_otel.console.store.schema import connect
from mita_otel.console.store.spans import SpanWriter


class Signal(StrEnum):
    """What a request carries, named as in the path of OTLP over HTTP."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


COUNTED: Final = {Signal.TRACES: "spans", Signal.METRICS: "points", Signal.LOGS: "records"}
"""What the counters of a signal begin with."""


class Batch(NamedTuple):
    """Items of one resource and one scope, all of them serialized messages."""

    resource: bytes
    scope: bytes
    items: Sequence[bytes]


class Store:
    """Writes to the file; one thread at a time may use it.

    `begin`, any number of `write`, then `commit`, or `rollback` if anything failed. What is kept in memory beside the
    file follows from the file, so that a rollback can build it anew.

    Attributes:
        connection: the writing connection.
        counters: of what happens to items and requests; written with the next commit.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            StoreError: it cannot be used.
        """
        self.connection: sqlite3.Connection = connect(path)
        self._load(1, 1)

    def _load(self, first_span: int, first_record: int) -> None:
        self.counters = Counters(self.connection)
        self._names = Names(self.connection)
        self._spans = SpanWriter(self.connection, self._names, first_span)
        self._records = RecordWriter(self.connection, first_record)
        self._points = PointWriter(self.connection)

    def begin(self) -> None:
        """Begin a transaction."""
        self.connection.execute("BEGIN IMMEDIATE")

    def write(self, signal: Signal, batches: Iterable[Batch]) -> Outcome:
        """Write the items of a request within the transaction.

        Returns:
            What was written and what was refused.

        Raises:
            sqlite3.Error: the transaction must be rolled back.
        """
        outcome = Outcome()
        now = time.time_ns() // 1000
        for batch in batches:
            self._write_batch(signal, batch, now, outcome)
        self.counters.add(f"{COUNTED[signal]}.received", outcome.accepted)
        self.counters.add(f"{COUNTED[signal]}.rejected", outcome.refused)
        return outcome

    def _write_batch(self, signal: Signal, batch: Batch, now: int, outcome: Outcome) -> None:
        try:
            origin = self._names.origin(batch.resource, batch.scope)
        except DecodeError:
            outcome.refuse("malformed resource or scope: invalid UTF-8, or values nested too deep", len(batch.items))
            return
        match signal:
            case Signal.TRACES:
                self._spans.write(origin, batch.items, now, outcome)
            case Signal.METRICS:
                self._points.write(origin, batch.items, now, outcome)
            case Signal.LOGS:
                self._records.write(origin, batch.items, now, outcome)

    def commit(self) -> None:
        """Make durable what was written since `begin`.

        Raises:
            sqlite3.Error: the transaction must be rolled back.
        """
        now = time.time_ns() // 1000
        self._spans.flush(now)
        self._records.flush(now)
        self._points.flush()
        self.counters.flush()
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was written since `begin`; ids are not used again."""
        if self.connection.in_transaction:  # some errors have ended it already
            self.connection.execute("ROLLBACK")
        self._load(self._spans.next_id, self._records.next_id)

    def leave_blocks(self) -> None:
        """Write to new blocks from now on, so that all those that are stored may be deleted."""
        self._spans.leave_block()
        self._records.leave_block()

    def forget_names(self) -> None:
        """Look up anew what may have been deleted: resources, scopes, operations, instruments and series."""
        self._names.forget()
        self._points.forget()

    def close(self) -> None:
        """Close the file; it needs no other file beside it then, unless somebody reads."""
        self.connection.close()
