"""A loop that does one kind of work until it is told to stop, and that no failure ends."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.errors import ApiError
from app.work.bells import Bell

logger = logging.getLogger(__name__)

AFTER_FAILURE = 1.0
"""Seconds, doubled each time: a database that is gone is not asked again at once, however often the bell rings."""

STOPPING = 5.0
"""Seconds that a round may take to end: what is cut off comes due again."""


def pause_after(failures: int, most: float) -> float:
    """Return how many seconds to wait after so many failures on end, at least 1: doubled each time, `most` at most."""
    return min(AFTER_FAILURE * float(1 << min(failures - 1, 10)), most)


@dataclass(slots=True)
class Worker:
    """Does rounds of work.

    Args:
        name: for the log.
        round: does what is due, and returns after how many seconds at most something may be due again.
        bell: calls it earlier.
        seconds: what to wait at most; other processes ring no bell here.
        delay: what to wait before the first round: the first requests of a process go first.
    """

    name: str
    round: Callable[[], Awaitable[float]]
    bell: Bell
    seconds: float
    delay: float = 1.0
    _stopping: bool = field(default=False, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin, as a task of the running loop."""
        self._task = asyncio.create_task(self._run(), name=f"work: {self.name}")

    def stop(self) -> None:
        """Begin no other round."""
        self._stopping = True
        self.bell.ring()

    async def stopped(self) -> None:
        """Wait for the round under way, at most 5 s, then cut it off."""
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=STOPPING)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        await self.bell.heard(self.delay)
        failures = 0
        while not self._stopping:
            pause = await self._round()
            if pause is None:
                # Not by the bell, which rings for each request.
                failures += 1
                await asyncio.sleep(pause_after(failures, self.seconds))
            else:
                failures = 0
                await self.bell.heard(min(pause, self.seconds))

    async def _round(self) -> float | None:
        """Return how long to wait for the next round; None if this one failed."""
        try:
            return await self.round()
        except ApiError as error:
            # What is not available has said so already, and will be again.
            logger.warning("background work failed", extra={"work": self.name, "cause": error.code})
        except Exception:
            logger.exception("background work failed", extra={"work": self.name})
        return None
