"""Common round trips: what is asked while others are under way travels together in the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

P = TypeVar("P")
R = TypeVar("R")

AT_ONCE: Final = 4
"""Round trips under way at a time: alone, nobody waits for another; in a rush, connections are few and busy."""

SEATS: Final = 50
"""Passengers of one: about half a millisecond of a Redis server's time."""

PATIENCE: Final = 5
"""Turns of the event loop in which an answer that has arrived in time, on a busy machine, reaches whoever waits."""


class _Seat(NamedTuple, Generic[P, R]):
    passenger: P
    arrival: "asyncio.Future[R]"
    since: float


class Flights(Generic[P, R]):
    """Takes passengers to where answers are, and the answers back.

    A passenger waits while answers come in: what is too late is who has fallen silent, and not what this process was
    too busy to send or to read. A machine under load must not take its Redis for dead.

    Args:
        carry: makes one round trip; returns an answer for each passenger, in their order.
        timeout: seconds of silence after which there is no answer; whoever waits does so twice as long at most.
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
            TimeoutError: there was none in time.
            Exception: what the round trip has raised.
        """
        loop = asyncio.get_running_loop()
        seat: _Seat[P, R] = _Seat(passenger, loop.create_future(), loop.time())
        self._waiting.append(seat)
        if len(self._tasks) < AT_ONCE:
            self._depart(loop)
        timer = loop.call_later(self._timeout, self._look, seat, loop, PATIENCE)
        try:
            return await seat.arrival
        finally:
            timer.cancel()
            seat.arrival.cancel()

    def _look(self, seat: _Seat[P, R], loop: asyncio.AbstractEventLoop, patience: int) -> None:
        """End the wait of a passenger, unless answers come in, or one may be here that is not read yet."""
        if seat.arrival.done():
            return
        if patience:
            loop.call_soon(self._look, seat, loop, patience - 1)
            return
        until = min(max(seat.since, self._heard_at) + self._timeout, seat.since + 2 * self._timeout)
        if until > loop.time():
            loop.call_at(until, self._look, seat, loop, PATIENCE)
        else:
            seat.arrival.set_exception(TimeoutError())

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
