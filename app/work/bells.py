"""How a request tells the workers of its own process that there is something to do."""

import asyncio
import contextlib
from dataclasses import dataclass, field


class Bell:
    """Wakes one worker before its time."""

    def __init__(self) -> None:
        """Begin silent."""
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the worker, or let it not fall asleep."""
        self._rung.set()

    async def heard(self, seconds: float) -> None:
        """Wait for the bell, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


@dataclass(frozen=True, slots=True)
class Bells:
    """One for each worker."""

    spending: Bell = field(default_factory=Bell)
    notifications: Bell = field(default_factory=Bell)
    mail: Bell = field(default_factory=Bell)
    analytics: Bell = field(default_factory=Bell)
    housekeeping: Bell = field(default_factory=Bell)
