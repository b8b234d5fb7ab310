"""Payloads on disk, for an outage that is longer than the memory: bounded, in order, found again after a restart.

Each process has a folder of its own and a lock on it. The lock ends with the process, and whoever starts next takes the
payloads over.
"""

import fcntl
import os
import re
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"\d{20}-\d+-(?P<items>\d+)\.otlp")
_FOLDER: Final = re.compile(r"\d+-\d{19}")
_LOCK: Final = "lock"
_UNFINISHED: Final = ".part"
_PRIVATE: Final = 0o700
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Stored:
    """A payload on disk.

    Attributes:
        path: of its file.
        items: spans or log records in it.
        size: bytes.
    """

    path: Path
    items: int
    size: int


class Spool:
    """The payloads of one signal; used by one thread at a time.

    Files are not synced: they outlive the process, not the power.

    Args:
        folder: of the signal; made if it is not there, for this user alone.
        limit: bytes of all payloads of this process; the oldest make room.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._own: Path | None = None
        self._lock: int | None = None
        self._stored: deque[Stored] = deque()
        self._last = 0
        self.items = 0
        self._size = 0

    def open(self) -> None:
        """Make this process's folder, and take over what processes left that are no more.

        Raises:
            OSError: the folder cannot be made or locked.
        """
        self.leave()
        self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        self._own, self._lock = self._claimed()
        for other in self._folder.iterdir():
            if other != self._own and _FOLDER.fullmatch(other.name) and other.is_dir():
                self._take_over(other)
        found = [_read_name(path) for path in sorted(self._own.iterdir()) if _NAME.fullmatch(path.name)]
        self._stored = deque(found)
        self.items = sum(stored.items for stored in found)
        self._size = sum(stored.size for stored in found)

    def leave(self) -> None:
        """Give up one's own folder, which goes if it is empty; in a forked child forget the parent's."""
        if self._own is not None and self._own.name.startswith(f"{os.getpid()}-") and not self.items:
            with suppress(OSError):
                (self._own / _LOCK).unlink()
                self._own.rmdir()
        if self._lock is not None:
            with suppress(OSError):
                os.close(self._lock)
        self._own = self._lock = None
        self._stored.clear()
        self.items = self._size = 0

    def append(self, payload: bytes, items: int) -> int:
        """Store the newest payload; return how many items were given up to make room for it.

        Raises:
            OSError: it could not be written; nothing has changed.
        """
        if len(payload) > self._limit:
            return items
        self._stored.append(self._written(payload, items))
        self.items += items
        lost = 0
        while self._size > self._limit and (oldest := self.take()) is not None:
            self.delete(oldest)
            lost += oldest.items
        return lost

    def take(self) -> Stored | None:
        """Return the oldest payload, which stays on disk until it is deleted; None if there is none."""
        if not self._stored:
            return None
        stored = self._stored.popleft()
        self.items -= stored.items
        return stored

    def put_back(self, stored: Stored, payload: bytes | None = None, items: int = 0) -> None:
        """Return what was taken to its place, or in its stead what is left of it.

        Raises:
            OSError: what is left could not be written; the whole stays.
        """
        kept = stored
        try:
            if payload is not None:
                kept = self._written(payload, items, stored.path.name.partition("-")[0])
                self.delete(stored)
        finally:
            self._stored.appendleft(kept)
            self.items += kept.items

    def delete(self, stored: Stored) -> None:
        """Delete a payload that was taken."""
        self._size -= stored.size
        with suppress(OSError):
            stored.path.unlink()

    def _claimed(self) -> tuple[Path, int]:
        for _ in range(_ATTEMPTS):
            own = self._folder / f"{os.getpid()}-{time.time_ns()}"
            own.mkdir(mode=_PRIVATE)
            lock = _locked(own)
            # One that starts at this moment may have found the folder before it was locked.
            if lock is not None and (own / _LOCK).exists():
                return own, lock
        raise OSError(f"no folder of its own below {self._folder}")

    def _take_over(self, other: Path) -> None:
        lock = _locked(other)
        if lock is None or self._own is None:
            return
        try:
            for path in other.iterdir():
                if _NAME.fullmatch(path.name):
                    path.rename(self._own / path.name)
                elif path.suffix == _UNFINISHED or path.name == _LOCK:
                    path.unlink()
            other.rmdir()
        except OSError:  # what lies there and is not ours stays, and so does its folder
            return
        finally:
            os.close(lock)

    def _written(self, payload: bytes, items: int, when: str = "") -> Stored:
        if self._own is None:
            raise OSError("the spool is not open")
        self._last = max(self._last + 1, time.time_ns())
        path = self._own / f"{when or f'{self._last:020}'}-{self._last % 10**9}-{items}.otlp"
        unfinished = path.with_suffix(_UNFINISHED)
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(payload)
            unfinished.rename(path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise
        self._size += len(payload)
        return Stored(path, items, len(payload))


def _read_name(path: Path) -> Stored:
    match = _NAME.fullmatch(path.name)
    return Stored(path, int(match["items"]) if match else 0, path.stat().st_size)


def _locked(folder: Path) -> int | None:
    """Return the descriptor of a folder's lock, None if another process holds it."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
