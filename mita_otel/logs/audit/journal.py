"""The spool: files that every record is appended to before it is acknowledged, until the database has it.

An append is one `write(2)` into the kernel's page cache, which outlives the process; `sync` makes what was appended
outlive the machine, many records at a time. A journal belongs to one writer, which holds the lock of its folder: a
folder whose lock is free was left behind by a process that is gone.
"""

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson

from mita_otel.logs.audit.model import Record

SEGMENT: Final = 4 * 1024 * 1024
"""Bytes after which a new file is begun; each is deleted when the database has all of it."""

DAMAGED: Final = ".damaged"
"""Ends the name of a folder that is kept for people to look at."""

_ATTEMPTS: Final = 10
_LOCK: Final = "lock"
_SUFFIX: Final = ".jsonl"
_logger: Final = logging.getLogger("mita_otel.audit")


class JournalFullError(OSError):
    """The journal has reached its limit."""


def encode(record: Record) -> bytes:
    """Return the line of a record."""
    return orjson.dumps(record) + b"\n"


def decode(line: bytes) -> Record | None:
    """Return the record of a line; None if it is damaged, as the last one of a full disk may be."""
    try:
        return Record(**orjson.loads(line))
    except (ValueError, TypeError):
        return None


class Journal:
    """One writer's journal; `append` and `trim` need the caller's lock, the others are the writer thread's.

    Args:
        folder: its own; made if it is not there.
        limit: bytes of all its files.

    Raises:
        OSError: the folder cannot be made, or another process holds it.
    """

    __slots__ = (
        *("_appended", "_deleted", "_ended", "_file", "_first", "_last", "_limit", "_lock", "_offset", "_size"),
        "folder",
    )

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._lock = _claimed(folder)
        self._limit = limit
        self._first = self._last = 1
        self._offset = self._size = self._appended = self._deleted = 0
        self._ended: list[int] = []
        self._file = self._begin()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}{_SUFFIX}"

    def _begin(self) -> int:
        return os.open(self._path(self._last), os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @property
    def total(self) -> int:
        """Bytes of all its files."""
        # Two sums, for appending and deleting are two threads' work.
        return self._appended - self._deleted

    def append(self, line: bytes) -> None:
        """Append a line: all of it, or nothing.

        Raises:
            JournalFullError: the limit is reached.
            OSError: the disk is full, or does not take it for another reason.
        """
        if self.total + len(line) > self._limit:
            raise JournalFullError(f"the audit journal has reached its limit of {self._limit} bytes")
        if self._size >= SEGMENT:
            self._rotate()
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, self._size)
            raise OSError(f"the disk took {written} bytes of {len(line)}")
        self._size += written
        self._appended += written

    def _rotate(self) -> None:
        self._last += 1
        try:
            file = self._begin()
        except OSError:
            self._last -= 1
            raise
        self._ended.append(self._file)
        self._file, self._size = file, 0

    def sync(self) -> None:
        """Make everything outlive a loss of power that had been appended when this was called.

        Raises:
            OSError: the disk has not taken it; what was appended is still to be counted on if only the process ends.
        """
        while self._ended:
            os.fsync(self._ended[0])
            os.close(self._ended.pop(0))
        os.fsync(self._file)

    def read(self, most: int) -> list[bytes]:
        """Return the next lines that are not forgotten yet, oldest first; the same ones until `forget`."""
        if self._first == self._last and self._offset >= self._size:
            return []
        with self._path(self._first).open("rb") as file:
            file.seek(self._offset)
            lines = [line for line in file.readlines(most * 1024) if line.endswith(b"\n")][:most]
        if not lines and self._first < self._last:
            self._next_file()
            return self.read(most)
        return lines

    def forget(self, lines: Sequence[bytes]) -> None:
        """Go on behind lines that `read` returned: the database has them."""
        self._offset += sum(map(len, lines))

    def _next_file(self) -> None:
        path = self._path(self._first)
        self._deleted += self._offset
        self._first, self._offset = self._first + 1, 0
        path.unlink(missing_ok=True)

    def trim(self) -> None:
        """Empty the file if nothing in it is needed any more; nothing happens as long as something is."""
        if self._first == self._last and self._offset == self._size > 0:
            os.ftruncate(self._file, 0)
            self._deleted += self._size
            self._size = self._offset = 0

    @property
    def is_done(self) -> bool:
        """Whether the database has everything."""
        return self._first == self._last and self._offset >= self._size

    def close(self) -> None:
        """Let go; the folder goes if the database has everything, else it waits for the next process."""
        for file in (*self._ended, self._file):
            os.close(file)
        self._ended.clear()
        if self.is_done:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    def abandon(self) -> None:
        """Let go in a forked child: it is the parent's, whose lock stays."""
        for file in (*self._ended, self._file, self._lock):
            os.close(file)


def _claimed(folder: Path) -> int:
    """Make a folder and take its lock, also where somebody takes it for left behind before that."""
    for attempts_left in reversed(range(_ATTEMPTS)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return lock(folder)
        except (BlockingIOError, FileNotFoundError):
            if not attempts_left:
                raise
            time.sleep(0.01)
    raise AssertionError


def lock(folder: Path) -> int:
    """Take the lock of a folder and return its descriptor; closing that gives it back.

    Raises:
        BlockingIOError: a process that lives holds it.
        OSError: the folder is gone, or may not be written to.
    """
    path = folder / _LOCK
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody may have finished and deleted the folder between the two.
        if os.fstat(file).st_ino != path.stat().st_ino:
            raise BlockingIOError("the folder has just been deleted")
    except OSError:
        os.close(file)
        raise
    return file


class Orphan:
    """A journal that its process has left behind, held by this one.

    Attributes:
        folder: where it is.
        damaged: lines that cannot be read; the last one of a file that a full disk cut off was never acknowledged.
    """

    __slots__ = ("_lock", "damaged", "folder")

    def __init__(self, folder: Path) -> None:
        self._lock = lock(folder)
        self.folder = folder
        self.damaged = 0

    def batches(self, size: int) -> Iterator[list[Record]]:
        """Yield every record in its order."""
        batch: list[Record] = []
        for path in segments(self.folder):
            with path.open("rb") as file:
                for line in file:
                    record = decode(line)
                    if record is None:
                        self.damaged += line.endswith(b"\n")
                        continue
                    batch.append(record)
                    if len(batch) >= size:
                        yield batch
                        batch = []
        if batch:
            yield batch

    def finish(self) -> None:
        """Delete the folder, as the database has everything; one with damaged lines is kept for people to look at."""
        if self.damaged:
            kept = self.folder.with_name(f"{self.folder.name}{DAMAGED}")
            _logger.error("%d lines of an audit journal cannot be read; it is kept as %s", self.damaged, kept)
            self.folder.rename(kept)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Let go; it waits for another try."""
        os.close(self._lock)


def orphans(root: Path) -> Iterator[Orphan]:
    """Take hold of every journal below a folder whose process is gone, one after the other."""
    for folder in folders(root):
        try:
            orphan = Orphan(folder)
        except OSError:
            continue
        yield orphan


def folders(root: Path) -> list[Path]:
    """Return the folders of journals, the oldest first: their names begin with the time."""
    try:
        found = [path for path in root.iterdir() if path.is_dir() and path.suffix != DAMAGED]
    except OSError:
        return []
    return sorted(found)


def segments(folder: Path) -> list[Path]:
    """Return the files of a journal, the oldest first."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


def is_held(folder: Path) -> bool:
    """Say whether a process that lives holds a journal."""
    try:
        os.close(lock(folder))
    except BlockingIOError:
        return True
    return False
