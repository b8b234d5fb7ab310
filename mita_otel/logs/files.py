"""The six files that records go to beside standard output and OTLP, where they are asked for.

Source of names, sizes and numbers: observability report, sections 1.1 and 1.4.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mita_otel.logs.losses import Losses, Reason
from mita_otel.logs.render import render_text
from mita_otel.logs.rotation import LockedError, RotatingFile
from mita_otel.logs.streams import AUDIT, PERFORMANCE, SECURITY
from mita_otel.logs.writing import Finished

LIMIT: Final = 10 * 1024 * 1024
"""Bytes of one file before it is rotated."""

FOLDER_MODE: Final = 0o750

_FAILED: Final[Reason] = "write_failed"
_LOCKED: Final[Reason] = "locked"
_dated: Final = partial(render_text, dated=True)


@dataclass(frozen=True, slots=True)
class Destination:
    """One file.

    Attributes:
        name: of the file.
        backups: older copies that are kept.
        takes: whether a record goes there.
        is_text: lines for a reader, not JSON.
    """

    name: str
    backups: int
    takes: Callable[[Finished], bool]
    is_text: bool = False


def _of(stream: str) -> Callable[[Finished], bool]:
    return lambda finished: finished.stream == stream


DESTINATIONS: Final = (
    Destination("mita.log", 5, lambda _: True, is_text=True),
    Destination("mita.json.log", 5, lambda _: True),
    Destination("security.log", 10, _of(SECURITY)),
    Destination("audit.log", 30, _of(AUDIT)),
    Destination("performance.log", 7, _of(PERFORMANCE)),
    Destination("errors.log", 10, lambda finished: finished.captured.levelno >= logging.ERROR),
)


class Files:
    """A sink: a few lines in one write to each file.

    A line that cannot be written (a full disk, a folder that is gone) is counted and not kept: the next ones are
    tried again, so that writing resumes by itself.

    Args:
        folder: of the files; made if there is none.
        losses: counts what is not written.
        limit: bytes of one file.
    """

    __slots__ = ("_folder", "_losses", "_places", "_taken")

    def __init__(self, folder: Path, losses: Losses, limit: int = LIMIT) -> None:
        self._folder = folder
        self._losses = losses
        self._places = [(one, RotatingFile(folder / one.name, limit, one.backups)) for one in DESTINATIONS]
        self._taken: list[Finished] = []
        for one in DESTINATIONS:
            losses.expect(one.name, _FAILED, _LOCKED)

    def begin_anew(self) -> None:
        """Forget what a parent process has begun to write, and open the files again: two processes take turns."""
        self._taken = []
        for _, file in self._places:
            file.close()

    def __call__(self, finished: Finished) -> None:
        """Take one record."""
        self._taken.append(finished)

    def flush(self) -> None:
        """Write what was taken."""
        taken, self._taken = self._taken, []
        if not taken:
            return
        texts = [_dated(finished.entry) for finished in taken]
        for one, file in self._places:
            lines = [
                (text if one.is_text else finished.json(), finished.stream)
                for finished, text in zip(taken, texts, strict=True)
                if one.takes(finished)
            ]
            if lines:
                self._write(one, file, lines)

    def _write(self, one: Destination, file: RotatingFile, lines: Sequence[tuple[bytes, str]]) -> None:
        written, problem = 0, None
        try:
            self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            written = file.append([line for line, _ in lines])
            problem = file.problem
        except OSError as error:
            problem = error
        if problem is not None:
            self._losses.last_error = f"{one.name}: {problem.strerror}"
        for _, stream in lines[written:]:
            self._losses.add(one.name, _LOCKED if isinstance(problem, LockedError) else _FAILED, stream)
