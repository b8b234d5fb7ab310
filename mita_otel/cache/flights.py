"""One computation of one thing at a time: whoever asks meanwhile waits for its result, or makes the next attempt."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final

from mita_otel.retries import OutOfTimeError

_computing: Final[ContextVar[frozenset[bytes]]] = ContextVar("mita_cache_computing", default=frozenset())
"""What this task is computing, or works for: who asks for the same would wait for itself."""


class Flight:
    """A computation under way.

    Attributes:
        result: what was computed, for those who wait.
        is_current: whether the result may still be kept: nothing was invalidated meanwhile.
    """

    __slots__ = ("is_current", "result")

    def __init__(self) -> None:
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.is_current = True


class Flights:
    """The computations under way of one cache, in every event loop of this process."""

    __slots__ = ("_flying",)

    def __init__(self) -> None:
        self._flying: dict[tuple[asyncio.AbstractEventLoop, bytes], Flight] = {}

    async def join(self, key: bytes, compute: Callable[[Flight], Awaitable[Any]]) -> Any:
        """Return what `compute` returns, now or for someone who asked before; raise what it raises.

        It is called in the task of whoever asked first. If that is cancelled, or out of time, the next one computes.
        """
        working_on = _computing.get()
        if key in working_on:
            return await compute(Flight())
        place = asyncio.get_running_loop(), key
        while (flight := self._flying.get(place)) is not None:
            try:
                return await asyncio.shield(flight.result)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not flight.result.cancelled() or (task is not None and task.cancelling()):
                    raise  # it is us who are cancelled, alone or as well
        flight = self._flying[place] = Flight()
        token = _computing.set(working_on | {key})
        try:
            result = await compute(flight)
        except (asyncio.CancelledError, OutOfTimeError):  # whoever waits may have more time
            flight.result.cancel()
            raise
        except BaseException as error:
            flight.result.set_exception(error)
            flight.result.exception()  # nobody may be waiting for it
            raise
        finally:
            _computing.reset(token)
            if self._flying.get(place) is flight:
                del self._flying[place]
        flight.result.set_result(result)
        return result

    def abandon(self, key: bytes) -> None:
        """Let no one join the computations of a key, and keep no result of them: it has been invalidated."""
        for place, flight in list(self._flying.items()):
            if place[1] == key:
                flight.is_current = False
                self._flying.pop(place, None)
