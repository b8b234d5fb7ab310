"""Writes entries to standard output, a line at a time, and never fails the caller."""

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from logging import LogRecord
from typing import Any, Literal, TextIO

from mita_otel.logs.render import Render, render_json, render_text

Format = Literal["auto", "json", "text", "none"]


def renderer(wanted: Format, stream: TextIO | None = None) -> Render | None:
    """Return how lines are rendered; `auto` is text on a terminal and JSON elsewhere, `none` is None."""
    if wanted == "none":
        return None
    if wanted == "auto":
        wanted = "text" if _is_terminal(stream or sys.stdout) else "json"
    return render_text if wanted == "text" else render_json


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


class Stdout:
    """A sink: one write for one entry; a line that cannot be written is counted.

    Args:
        render: makes the line.
        faults: counts lines that were not written, as `stdout`.
        stream: where to; by default whatever `sys.stdout` is at the time.
    """

    __slots__ = ("_faults", "_lock", "_render", "_stream", "_torn")

    def __init__(self, render: Render, faults: Counter[str], stream: Callable[[], TextIO | None] | None = None) -> None:
        self._render = render
        self._faults = faults
        self._stream = stream or (lambda: sys.stdout)
        self._lock = threading.Lock()
        self._torn = False

    def after_fork(self) -> None:
        """Forget a lock that another thread of the parent may have held."""
        self._lock = threading.Lock()

    def __call__(self, _: LogRecord, entry: dict[str, Any]) -> None:
        """Write one entry; a reader that went away and a full pipe without blocking are tolerated."""
        line = self._render(entry)
        stream = self._stream()
        try:
            if stream is not None:
                # Lines of several threads must not mix; held for one write.
                with self._lock:
                    self._write(stream, line)
        except (OSError, ValueError):
            self._faults["stdout"] += 1

    def _write(self, stream: TextIO, line: bytes) -> None:
        try:
            number = stream.fileno()
        except (AttributeError, OSError, ValueError):
            stream.write(line.decode())
            return
        # What was printed before comes first. Past the buffer: what a broken pipe refuses must not stay in there, or
        # the interpreter fails to flush it at exit and changes the exit status.
        stream.flush()
        if self._torn:
            # The pipe was full in the middle of the last line: this one is not to become a part of it.
            line = b"\n" + line
        while line:
            written = os.write(number, line)
            line = line[written:]
            self._torn = bool(line)
