"""A file that several processes append to and that is rotated by its size: no line lost, none torn."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

MODE: Final = 0o640
"""Owner writes, group reads: what an application logs is not for everyone."""

PATIENCE: Final = 5.0
"""Seconds to wait for another process's turn, which takes it microseconds: beyond, it is stopped or on a dead disk."""

_PAUSE: Final = 0.001


class LockedError(OSError):
    """Another process kept its turn for too long."""


class RotatingFile:
    """One file, its older copies `name.1` (the newest) to `name.N`, and the lock that its writers take turns by.

    Each write is a turn: the lock is taken, a file that another process has rotated away is opened anew, whole lines
    are appended, and the file is rotated before a line that it has no room for. A write that the disk cuts short is cut
    back to its last whole line. The lock belongs to the process (`lockf`): a forked child does not have it, and a
    killed process loses it.

    Args:
        path: of the file; its folder exists.
        limit: bytes of a file; a line that is longer has one to itself.
        backups: older copies that are kept, 1 and above.

    Attributes:
        problem: what kept the last `append` from writing everything.
    """

    __slots__ = ("_backups", "_limit", "_lock", "_number", "_path", "problem")

    def __init__(self, path: Path, limit: int, backups: int) -> None:
        self._path = path
        self._limit = limit
        self._backups = backups
        self._number = -1
        self._lock = -1
        self.problem: OSError | None = None

    def append(self, lines: Sequence[bytes]) -> int:
        """Write lines, each ending in a line break; return how many of them are in the file.

        Raises:
            OSError: not one line could be written.
        """
        self.problem = None
        try:
            with self._turn():
                return self._append(lines)
        except OSError as error:
            self.problem = error
            # Whatever it was, the next attempt begins anew: the folder may be another one by then.
            self.close()
            raise

    def close(self) -> None:
        """Close the file and its lock."""
        for number in (self._number, self._lock):
            if number >= 0:
                with contextlib.suppress(OSError):
                    os.close(number)
        self._number = self._lock = -1

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock < 0:
            name = self._path.with_name(f".{self._path.name}.lock")
            self._lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in {errno.EACCES, errno.EAGAIN}:
                    raise
                if time.monotonic() >= deadline:
                    raise LockedError(error.errno, "another process holds the lock") from None
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            if self._lock >= 0:
                fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _append(self, lines: Sequence[bytes]) -> int:
        written = 0
        try:
            size = self._open()
            while written < len(lines):
                fitting = self._fitting(lines, written, size)
                if fitting == written:
                    self._rotate()
                    size = self._open()
                    continue
                done, size = self._write(lines[written:fitting], size)
                written += done
                if written < fitting:
                    break
        except OSError as error:
            if not written:
                raise
            self.problem = error
        return written

    def _fitting(self, lines: Sequence[bytes], start: int, size: int) -> int:
        """Return the index after the last line that the file has room for."""
        end = start
        while end < len(lines) and (size + len(lines[end]) <= self._limit or size == 0):
            size += len(lines[end])
            end += 1
        return end

    def _write(self, lines: Sequence[bytes], before: int) -> tuple[int, int]:
        """Write lines; return how many are whole, and the size of the file."""
        left = memoryview(b"".join(lines))
        size = before
        try:
            while left:
                count = os.write(self._number, left)
                size += count
                left = left[count:]
        except OSError as error:
            self.problem = error
            whole, kept = 0, before
            while kept + len(lines[whole]) <= size:
                kept += len(lines[whole])
                whole += 1
            os.ftruncate(self._number, kept)
            if not whole:
                raise
            return whole, kept
        return len(lines), size

    def _open(self) -> int:
        """Make sure that the open file is the one of that name; return its size."""
        if self._number >= 0:
            mine = os.fstat(self._number)
            with contextlib.suppress(FileNotFoundError):
                named = self._path.stat()
                if (mine.st_ino, mine.st_dev) == (named.st_ino, named.st_dev):
                    return mine.st_size
            os.close(self._number)
            self._number = -1
        self._number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        return os.fstat(self._number).st_size

    def _rotate(self) -> None:
        for number in range(self._backups - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._numbered(number).rename(self._numbered(number + 1))
        with contextlib.suppress(FileNotFoundError):
            self._path.rename(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
