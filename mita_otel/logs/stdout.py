"""Writes entries to standard output, whole lines in their order, and never fails or holds up the others."""

import contextlib
import os
import select
import stat
import sys
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from logging import LogRecord
from typing import Final, Literal, TextIO, TypeAlias

from mita_otel.logs.captured import Captured
from mita_otel.logs.losses import LOGGER, STDOUT, Losses, Reason
from mita_otel.logs.render import Render, render_json, render_text
from mita_otel.logs.writing import Finished

_Line: TypeAlias = tuple[bytes, str | None]
"""A line, and the stream that it is counted under."""

Format = Literal["auto", "json", "text", "none"]

PATIENCE: Final = 1.0
"""Seconds that a pipe may be full before lines are given up: the other destinations wait meanwhile."""

_TOGETHER: Final = 65_536
"""Bytes of one write where it cannot be torn."""


def renderer(wanted: Format, stream: TextIO | None = None) -> Render | None:
    """Return how lines are rendered; `auto` is text on a terminal and JSON elsewhere, `none` is None."""
    if wanted == "none":
        return None
    if wanted == "auto":
        wanted = "text" if is_terminal(stream or sys.stdout) else "json"
    return render_text if wanted == "text" else render_json


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a person reads along."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


class Stdout:
    """A sink: a few lines in one write; a line that cannot be written is counted.

    Args:
        render: makes the line.
        faults: counts lines that were not written, as `stdout`.
        losses: the same for people and for metrics.
        stream: where to; by default whatever `sys.stdout` is when the record is made.
    """

    __slots__ = ("_faults", "_losses", "_render", "_stalled", "_stream", "_taken", "_torn")

    def __init__(
        self,
        render: Render,
        faults: Counter[str],
        losses: Losses | None = None,
        stream: Callable[[], TextIO | None] | None = None,
    ) -> None:
        self._render = render
        self._faults = faults
        self._losses = losses or Losses()
        self._stream = stream or (lambda: sys.stdout)
        self._losses.expect(STDOUT, "write_failed", "stalled")
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what a parent process has begun to write."""
        self._taken: list[tuple[TextIO, bytes, str | None]] = []
        self._torn = False
        self._stalled = False

    def bind(self, _: LogRecord, captured: Captured) -> None:
        """Remember the stream of this moment, and let what was printed before the record come before it."""
        stream = captured.stream = self._stream()
        if stream is not None:
            # The write will meet, and count, the same; a signal handler may log in the middle of a print.
            try:  # noqa: SIM105 - `suppress` would be an object and two calls for each line
                stream.flush()
            except (OSError, ValueError, RuntimeError):
                pass

    def __call__(self, finished: Finished) -> None:
        """Take one line."""
        stream = finished.captured.stream
        if stream is not None:
            line = finished.json() if self._render is render_json else self._render(finished.entry)
            # A line that says that lines are lost is not counted among them.
            kind = None if finished.captured.name == LOGGER else finished.stream
            self._taken.append((stream, line, kind))

    def flush(self) -> None:
        """Write what was taken."""
        taken, self._taken = self._taken, []
        for _, lines in groupby(taken, key=lambda one: id(one[0])):
            mine = list(lines)
            self._write(mine[0][0], [(line, stream) for _, line, stream in mine])

    def _write(self, stream: TextIO, lines: list[_Line]) -> None:
        try:
            number = stream.fileno()
        except (AttributeError, OSError, ValueError):
            self._write_text(stream, lines)
            return
        # Past the stream's buffer: what a broken pipe refuses must not stay in there, or the interpreter fails to flush
        # it at exit and changes the exit status.
        limit = _TOGETHER
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                # No more than that is written in one piece where several processes share a pipe.
                limit = select.PIPE_BUF
        for chunk in _chunks(lines, limit):
            self._write_chunk(number, chunk, limit)

    def _write_text(self, stream: TextIO, lines: list[_Line]) -> None:
        for line, kind in lines:
            try:
                stream.write(line.decode())
            except (OSError, ValueError):
                self._lose([(line, kind)], "write_failed")

    def _write_chunk(self, number: int, chunk: list[_Line], limit: int) -> None:
        left = b"".join(line for line, _ in chunk)
        if self._torn:
            # A pipe was full in the middle of a line: this one is not to become a part of it.
            left = b"\n" + left
        try:
            while left:
                if not self._is_writable(number):
                    self._lose(_unwritten(chunk, len(left)), "stalled")
                    return
                written = os.write(number, left[:limit])
                left = left[written:]
                self._torn = bool(left)
        except OSError as error:
            self._losses.last_error = f"stdout: {error.strerror}"
            self._lose(_unwritten(chunk, len(left)), "write_failed")

    def _is_writable(self, number: int) -> bool:
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        # Once it has stalled nobody waits for it again until it moves.
        ready = bool(poll.poll(0 if self._stalled else PATIENCE * 1000))
        self._stalled = not ready
        return ready

    def _lose(self, lines: list[_Line], reason: Reason) -> None:
        for _, stream in lines:
            if stream is not None:
                self._faults["stdout"] += 1
                self._losses.add(STDOUT, reason, stream)


def _unwritten(lines: list[_Line], left: int) -> list[_Line]:
    """Return the last lines of some, of which so many bytes were not written."""
    lost: list[_Line] = []
    for one in reversed(lines):
        if left <= 0:
            break
        lost.append(one)
        left -= len(one[0])
    return lost


def _chunks(lines: list[_Line], limit: int) -> list[list[_Line]]:
    """Divide lines into chunks of whole lines below a limit; one that is longer is a chunk of its own."""
    chunks: list[list[_Line]] = []
    size = limit
    for one in lines:
        if size + len(one[0]) > limit:
            chunks.append([])
            size = 0
        chunks[-1].append(one)
        size += len(one[0])
    return chunks
