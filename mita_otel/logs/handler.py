"""The room's door: the one `logging.Handler` that every record comes in through."""

import logging
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from logging import LogRecord
from typing import Any

from mita_otel.logs.pipeline import Pipeline

Sink = Callable[[LogRecord, dict[str, Any]], None]


class _Thread(threading.local):
    """What one thread is doing in here."""

    depth = 0
    last: "weakref.ref[LogRecord] | None" = None


class EntryHandler(logging.Handler):
    """Makes one entry of each record and hands it to the sinks; a fault of ours never reaches the caller.

    A record that comes twice, because it was handled by a logger and by its parent, is written once. A record made
    while another is being handled (by masking, by a processor) goes to the first sink only, and one made while that is
    handled is counted as `recursion` and dropped: no line can cause a storm.

    Args:
        pipeline: makes the entry.
        sinks: where entries go; the first one must not log.
        faults: counts what was swallowed, by place.
    """

    def __init__(self, pipeline: Pipeline, sinks: Sequence[Sink], faults: Counter[str]) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._sinks = tuple(sinks)
        self._faults = faults
        self._thread = _Thread()

    def handle(self, record: LogRecord) -> bool:
        """Filter and emit without the handler's lock: entries share nothing, and sinks lock for themselves."""
        kept = self.filter(record)
        if isinstance(kept, LogRecord):  # since Python 3.12 a filter may replace the record
            record = kept
        if kept:
            self.emit(record)
        return bool(kept)

    def emit(self, record: LogRecord) -> None:
        """Write the record everywhere, once."""
        thread = self._thread
        try:
            if thread.last is not None and thread.last() is record:
                return
            if thread.depth > 1:
                self._faults["recursion"] += 1
                return
            thread.depth += 1
            try:
                self._write(record, self._sinks if thread.depth == 1 else self._sinks[:1])
            finally:
                thread.depth -= 1
                # Weakly: the record holds an exception, and that every frame it went through.
                thread.last = weakref.ref(record)
        except Exception:  # noqa: BLE001 - the room's door
            self._faults["handler"] += 1

    def _write(self, record: LogRecord, sinks: Sequence[Sink]) -> None:
        entry = self._pipeline(record)
        for sink in sinks:
            try:
                sink(record, entry)
            except Exception:  # noqa: BLE001 - a fault of one sink must not cost the other its line
                self._faults[type(sink).__name__.lower()] += 1
