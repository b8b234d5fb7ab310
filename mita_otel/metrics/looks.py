"""Looks at what takes I/O to see, beside the collection of the metrics that tell of it."""

import os
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

NEVER: Final = float("-inf")
"""A time before all times of `time.perf_counter`."""


class Look(Generic[T]):
    """Looks at one thing in a thread of its own, whenever asked to, and remembers what it saw.

    The thread ends with the look, so that nothing wakes up while no one asks, a fork copies no thread, and a look that
    hangs holds nothing up but itself: there is at most one of each at a time.

    Args:
        look: sees the thing; blocks as long as it needs. What it raises is a look without a result.
        name: of the thread.

    Attributes:
        seen: the last result, or None.
        seen_at: when that was, by `time.perf_counter`.
    """

    __slots__ = ("_done", "_look", "_name", "_process", "seen", "seen_at", "started_at")

    def __init__(self, look: Callable[[], T], name: str) -> None:
        self._look = look
        self._name = name
        self._done = threading.Event()
        self._done.set()
        self._process = os.getpid()
        self.seen: T | None = None
        self.seen_at = NEVER
        self.started_at = NEVER

    @property
    def under_way_for(self) -> float:
        """Seconds that the look under way has taken until now; 0 if there is none."""
        return 0.0 if self._is_done() else time.perf_counter() - self.started_at

    @property
    def age(self) -> float:
        """Seconds since the last result; infinite without one."""
        return time.perf_counter() - self.seen_at

    def ask(self) -> None:
        """Begin to look, unless a look is under way; never blocks."""
        if not self._is_done():
            return
        self._done.clear()
        self._process = os.getpid()
        self.started_at = time.perf_counter()
        try:
            threading.Thread(target=self._see, name=self._name, daemon=True).start()
        except RuntimeError:  # no thread starts while the interpreter exits
            self._done.set()

    def wait(self, seconds: float) -> None:
        """Wait until the look under way is over, at most so long."""
        if not self._is_done():
            self._done.wait(seconds)

    def _is_done(self) -> bool:
        # The thread of a parent process does not go on in its child.
        return self._done.is_set() or self._process != os.getpid()

    def _see(self) -> None:
        try:
            self.seen, self.seen_at = self._look(), time.perf_counter()
        except Exception:  # noqa: BLE001, S110 - its result stays the one before, whose age tells
            pass
        finally:
            self._done.set()
