"""The room's door: the one `logging.Handler` that every record comes in through."""

import logging
import threading
import weakref
from collections import Counter
from logging import LogRecord
from typing import Final

from mita_otel.logs import losses
from mita_otel.logs.backlog import Backlog
from mita_otel.logs.captured import Capture, Captured

_FLUSH: Final = 5.0
"""Seconds that `logging.shutdown` may take for us."""


class Depth(threading.local):
    """How many records one thread is handling, one inside another."""

    value = 0


class _Thread(threading.local):
    """What one thread was given last."""

    last: "weakref.ref[LogRecord] | None" = None


class EntryHandler(logging.Handler):
    """Captures each record on the thread that made it, and leaves the rest to the writer; our faults stay ours.

    A record that comes twice, because it was handled by a logger and by its parent, is written once. A record made
    while another is being handled (by masking, by a processor) goes to the first destination only, and one made while
    that is handled is counted as `recursion` and dropped: no line can cause a storm.

    Args:
        capture: takes a record by value.
        backlog: keeps it for the writer.
        depth: shared with the writer, which handles records too.
        faults: counts what was swallowed, by place.
        is_immediate: every line is written before the call that logged returns, as a person at a terminal expects.
    """

    def __init__(
        self,
        capture: Capture,
        backlog: Backlog[Captured],
        depth: Depth,
        faults: Counter[str],
        *,
        is_immediate: bool = False,
    ) -> None:
        super().__init__()
        self._capture = capture
        self._backlog = backlog
        self._depth = depth
        self._faults = faults
        self._is_immediate = is_immediate
        self._thread = _Thread()

    def handle(self, record: LogRecord) -> bool:
        """Filter and emit without the handler's lock: entries share nothing."""
        kept = self.filter(record) if self.filters else True
        if isinstance(kept, LogRecord):  # since Python 3.12 a filter may replace the record
            record = kept
        if kept:
            self.emit(record)
        return bool(kept)

    def emit(self, record: LogRecord) -> None:
        """Capture the record, once."""
        thread, depth = self._thread, self._depth
        try:
            if thread.last is not None and thread.last() is record:
                return
            # What is said about losses is said once a minute, by the writer, and must leave.
            generation = 0 if record.name == losses.LOGGER else depth.value
            if generation > 1:
                self._faults["recursion"] += 1
                return
            depth.value += 1
            try:
                self._backlog.put(self._capture(record, generation))
            finally:
                depth.value -= 1
                # Weakly: the record holds an exception, and that every frame it went through.
                thread.last = weakref.ref(record)
            if self._is_immediate:
                self._backlog.write(_FLUSH)
        except Exception:  # noqa: BLE001 - the room's door
            self._faults["handler"] += 1

    def flush(self) -> None:
        """Write what was captured; called by `logging.shutdown`, at the end of the process at the latest."""
        self._backlog.flush(_FLUSH)
