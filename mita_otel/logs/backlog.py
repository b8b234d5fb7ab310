"""What was captured waits here for one thread that writes it: bounded, in order, and nobody waits for it."""

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from mita_otel.export import Bell

T = TypeVar("T")

CAPACITY: Final = 32_768
"""Items that may wait: three seconds of a storm of 10,000 a second in which the writer does not get on, some 60 MB."""

GATHER: Final = 0.05
"""Seconds that the writer lets records gather after the first one: it wakes up 20 times a second at most, however many
records there are, and a reader of the output does not notice. It is also what a killed process loses."""

SLICE: Final = 32
"""Items written before the interpreter is handed to other threads: about a millisecond of work."""

_IDLE: Final = 3600.0
_AT_ONCE: Final = 1.0
"""Seconds that a record waits for its predecessors once there is no writer any more."""


class _Mark:
    """Stands in the queue where a flush began, and rings when the writer comes by."""

    __slots__ = ("bell",)

    def __init__(self) -> None:
        self.bell = Bell()


class Backlog(Generic[T]):
    """A queue with one writer thread.

    When the queue is full its oldest item makes room. The thread is started by the first item, also in a forked child;
    where none can be started, because the interpreter is exiting, and after `close`, each item is written by the thread
    that brings it.

    Args:
        write: writes some items, in their order; never called by two threads at once. It must not raise.
        overflow: told of each item that made room.
        capacity: items that may wait.
        gather: seconds that items gather before they are written.
        begin_anew: called in a forked child, for whatever `write` has begun.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        overflow: Callable[[T], None],
        *,
        capacity: int = CAPACITY,
        gather: float = GATHER,
        begin_anew: Callable[[], object] = lambda: None,
    ) -> None:
        self._write = write
        self._overflow = overflow
        self._capacity = capacity
        self._gather = gather
        self._forked = begin_anew
        self._closed = False
        self._patience = _AT_ONCE
        self._begin()
        os.register_at_fork(after_in_child=_weakly(self._begin_anew))

    def _begin_anew(self) -> None:
        """Start empty in a forked child: what waits is the parent's to write."""
        self._begin()
        self._forked()

    def _begin(self) -> None:
        self._queue: deque[T | _Mark] = deque()
        self._bell = Bell()
        self._hurry = Bell()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._writing = threading.Lock()
        self._writer = 0

    def put(self, item: T) -> None:
        """Take an item: no I/O and no waiting, unless there is no writer any more."""
        queue = self._queue
        queue.append(item)
        if len(queue) > self._capacity:
            self._make_room()
        if self._closed:
            # Who hangs now will not be waited for again: the process is ending.
            if not self.write(self._patience):
                self._patience = 0.0
        elif self._thread is None:
            self._start()
        else:
            self._bell.ring()

    def flush(self, timeout: float) -> bool:
        """Have the writer write what is here; return whether all of it was within `timeout` seconds.

        Within a write it returns False at once.
        """
        if self._writer == threading.get_ident():
            return False
        thread = self._thread
        if self._closed or thread is None or not thread.is_alive():
            return self.write(timeout)
        deadline = time.monotonic() + timeout
        for _ in range(2):  # the second time for what writing itself has logged
            mark = _Mark()
            self._queue.append(mark)
            self._hurry.ring()
            self._bell.ring()
            if not mark.bell.wait(deadline - time.monotonic()):
                return False
        return True

    def write(self, timeout: float) -> bool:
        """Write what is here in this thread, as far as `timeout` seconds allow; return whether that was all of it."""
        deadline = time.monotonic() + timeout
        if self._writer == threading.get_ident() or not self._writing.acquire(timeout=max(0.0, timeout)):
            return False
        try:
            self._writer = threading.get_ident()
            # Not until it is empty, for others may never stop; the second time for what writing itself has logged.
            return self._write_out(deadline) and self._write_out(deadline)
        finally:
            self._writer = 0
            self._writing.release()

    def close(self, timeout: float) -> bool:
        """Write what is here within `timeout` seconds; from now on the thread that brings an item writes it."""
        deadline = time.monotonic() + timeout
        settled = self.flush(timeout)
        self._closed = True
        self._bell.ring()
        return settled and self.write(max(0.0, deadline - time.monotonic()))

    @property
    def waiting(self) -> int:
        """Items that are not written yet."""
        return len(self._queue)

    def _make_room(self) -> None:
        try:
            oldest = self._queue.popleft()
        except IndexError:  # the writer took them meanwhile
            return
        if isinstance(oldest, _Mark):
            oldest.bell.ring()
        else:
            self._overflow(oldest)

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # another thread does it, or this one was interrupted while it did
        thread = threading.Thread(target=self._run, name="mita-logs", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is exiting
            self._closed = True
            self.write(_AT_ONCE)
        else:
            self._thread = thread
            self._bell.ring()

    def _run(self) -> None:
        while not self._closed:
            self._bell.wait(_IDLE)
            self._hurry.wait(self._gather)
            while self._turn():
                time.sleep(0)  # requests first

    def _turn(self) -> int:
        with self._writing:
            self._writer = threading.get_ident()
            try:
                return self._slice(SLICE)
            finally:
                self._writer = 0

    def _write_out(self, deadline: float) -> bool:
        """Write as many items as are here now; return whether there was the time."""
        left = len(self._queue)
        while left > 0 and (taken := self._slice(left)):
            left -= taken
            if left > 0 and time.monotonic() >= deadline:
                return False
        return True

    def _slice(self, most: int) -> int:
        """Write some items, up to a mark at most; return how many left the queue."""
        batch: list[T] = []
        mark: _Mark | None = None
        try:
            while mark is None and len(batch) < min(most, SLICE):
                item = self._queue.popleft()
                if isinstance(item, _Mark):
                    mark = item
                else:
                    batch.append(item)
        except IndexError:
            pass
        if batch:
            self._write(batch)
        if mark is not None:
            mark.bell.ring()
        return len(batch) + (mark is not None)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Call a method as long as its object lives: fork handlers cannot be unregistered."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call
