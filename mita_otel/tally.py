"""A counter that loses no count and takes no lock."""

import itertools
import threading
from collections.abc import Callable
from typing import Final


class Tally:
    """A counter that any thread or signal handler adds to without a lock.

    `next` on an `itertools.count` is one step of the interpreter, `+=` is three. A reading takes a number too, so it
    is subtracted again; readers alone share a lock.

    Attributes:
        add: Count one. The step of the iterator itself, 35 ns instead of the 90 of a method around it.
    """

    __slots__ = ("_count", "_lock", "_readings", "add")

    def __init__(self) -> None:
        self._count = itertools.count()
        self._readings = 0
        self._lock = threading.RLock()  # reentrant: a signal handler may read while its own thread is reading
        self.add: Final[Callable[[], object]] = self._count.__next__

    def value(self) -> int:
        """Return how many were counted."""
        with self._lock:
            readings, self._readings = self._readings, self._readings + 1
            return next(self._count) - readings
