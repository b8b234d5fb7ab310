"""Common round trips: what is asked while others are under way travels together in the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

P = TypeVar("P")
R = TypeVar("R")

AT_ONCE: Final = 4
"""Round trips under way at a time: alone, nobody waits for another; in a rush, connections are few and busy."""

SEATS: Final = 50
"""Passengers of one: about half a millisecond of a Redis server's time."""

PATIENCE: Final = 4
"""Turns of the event loop in which an answer that has arrived in time, on a busy machine, reaches whoever waits: it is
sent for, read, taken apart, and handed over."""

LATE: Final = 0.01
"""Seconds by which a timer is late if this process, and not Redis, is what holds a passenger up."""


class QueueError(Exception):
    """Answers come in, but too many wait for theirs, or this process is too busy to read them."""


@dataclass(slots=True, eq=False)
class _Seat(Generic[P, R]):
    """A passenger, and where the answer arrives.

    Attributes:
        waited: seconds, those of the wait that ends when `due` included.
        was_late: whether one wait went on because this process was late.
    """

    passenger: P
    arrival: "asyncio.Future[R]"
    waited: float = 0.0
    since: float = 0.0
    due: float = 0.0
    timer: asyncio.TimerHandle | None = None
    was_late: bool = False


class Flights(Generic[P, R]):
    """Takes passengers to where answers are, and the answers back.

    A passenger waits once more while answers come in for others, or while this process is too busy to send and to read:
    a machine under load must not take its Redis for dead.

    Args:
        carry: makes one round trip; returns an answer for each passenger, in their order.
        timeout: seconds of silence after which there is no answer; nobody waits more than twice as long, not counting
            what this process is late.
    """

    __slots__ = ("_carry", "_heard_at", "_tasks", "_timeout", "_waiting")

    def __init__(self, carry: Callable[[Sequence[P]], Awaitable[Sequence[R]]], timeout: float) -> None:
        self._carry = carry
        self._timeout = timeout
        self._heard_at = 0.0
        self._waiting: deque[_Seat[P, R]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, passenger: P) -> R:
        """Return the answer for a passenger.

        Raises:
            TimeoutError: nobody has answered anybody for as long as the timeout.
            QueueError: others were answered, but not this one within twice the timeout.
            Exception: what the round trip has raised.
        """
        loop = asyncio.get_running_loop()
        seat: _Seat[P, R] = _Seat(passenger, loop.create_future())
        self._waiting.append(seat)
        if len(self._tasks) < AT_ONCE:
            self._depart(loop)
        self._wait(seat, loop, self._timeout)
        try:
            return await seat.arrival
        finally:
            seat.arrival.cancel()
            if seat.timer is not None:
                seat.timer.cancel()

    def _wait(self, seat: _Seat[P, R], loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        seat.waited += seconds
        seat.since = loop.time()
        seat.due = seat.since + seconds
        seat.timer = loop.call_at(seat.due, self._look, seat, loop)

    def _look(self, seat: _Seat[P, R], loop: asyncio.AbstractEventLoop) -> None:
        self._end(seat, loop, PATIENCE, is_late=loop.time() - seat.due > LATE)

    def _end(self, seat: _Seat[P, R], loop: asyncio.AbstractEventLoop, patience: int, *, is_late: bool) -> None:
        """End a wait, or let it go on; not before what may have arrived is read."""
        if seat.arrival.done():
            return
        if patience:
            loop.call_soon(partial(self._end, seat, loop, patience - 1, is_late=is_late))
            return
        has_heard = self._heard_at >= seat.since
        left = 2 * self._timeout - seat.waited
        if left > 0 and (has_heard or (is_late and not seat.was_late)):
            seat.was_late = seat.was_late or not has_heard
            self._wait(seat, loop, min(left, self._timeout if has_heard else self._timeout / 2))
        else:
            seat.arrival.set_exception(QueueError() if has_heard else TimeoutError())

    def _depart(self, loop: asyncio.AbstractEventLoop) -> None:
        seats: list[_Seat[P, R]] = []
        while self._waiting and len(seats) < SEATS:
            seat = self._waiting.popleft()
            if not seat.arrival.done():  # else it has given up
                seats.append(seat)
        if seats:
            task = loop.create_task(self._fly(seats, loop))
            self._tasks.add(task)
            task.add_done_callback(self._landed)

    async def _fly(self, seats: Sequence[_Seat[P, R]], loop: asyncio.AbstractEventLoop) -> None:
        try:
            # Longer than anybody waits, but shorter than until somebody tries again.
            async with asyncio.timeout(3 * self._timeout):
                answers = await self._carry([seat.passenger for seat in seats])
        except Exception as error:  # noqa: BLE001 - it is theirs who wait
            for seat in seats:
                if not seat.arrival.done():
                    seat.arrival.set_exception(error)
            return
        self._heard_at = loop.time()
        for seat, answer in zip(seats, answers, strict=True):
            if not seat.arrival.done():
                seat.arrival.set_result(answer)

    def _landed(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self._waiting:
            self._depart(task.get_loop())
