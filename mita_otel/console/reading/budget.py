"""How long a search may go on before it answers with what it has."""

import time
from collections.abc import Callable


class Budget:
    """Time for work that can stop between two steps and go on later."""

    __slots__ = ("_clock", "_end")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    @property
    def is_spent(self) -> bool:
        """Whether the time is over."""
        return self._clock() >= self._end
