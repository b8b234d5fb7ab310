"""Who has the interpreter while telemetry is encoded: requests first."""

import time
from collections.abc import Callable
from typing import Final

SLICE: Final = 500_000
"""Nanoseconds after which the interpreter is handed over to requests. What is judged in one piece comes on top:
a value, or all that an event says, of which a megabyte takes 5 ms."""


class Turns:
    """Hands the interpreter over when it was held for a slice's time; used by one thread.

    Attributes:
        pause: returns the seconds that others have then; with 0 only those who wait already get their turn.
    """

    __slots__ = ("_since", "pause")

    def __init__(self) -> None:
        self.pause: Callable[[], float] = float
        self._since = time.perf_counter_ns()

    def begin(self) -> None:
        """Say that the interpreter was just taken."""
        self._since = time.perf_counter_ns()

    def offer(self) -> None:
        """Hand it over if it is time."""
        if time.perf_counter_ns() - self._since > SLICE:
            time.sleep(self.pause())
            self._since = time.perf_counter_ns()
