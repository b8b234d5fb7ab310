"""Common round trips: who travels with whom, and how long anybody waits."""

import asyncio
from collections.abc import Sequence

import pytest

from mita_otel.ratelimit.flights import AT_ONCE, SEATS, Flights, QueueError


class Far:
    """Answers each number with its double, once it is let."""

    def __init__(self, timeout: float = 5.0) -> None:
        self.trips: list[list[int]] = []
        self.goes_on = asyncio.Event()
        self.flights = Flights(self._carry, timeout)

    async def _carry(self, numbers: Sequence[int]) -> list[int]:
        self.trips.append(list(numbers))
        await self.goes_on.wait()
        return [2 * number for number in numbers]


async def _turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_who_is_alone_waits_for_nobody() -> None:
    far = Far()
    far.goes_on.set()
    assert [await far.flights.take(number) for number in range(3)] == [0, 2, 4]
    assert far.trips == [[0], [1], [2]]


async def test_who_comes_while_others_are_under_way_travels_together() -> None:
    far = Far()
    asking = [asyncio.create_task(far.flights.take(number)) for number in range(AT_ONCE + SEATS + 7)]
    await _turns()
    assert far.trips == [[number] for number in range(AT_ONCE)]
    far.goes_on.set()
    assert await asyncio.gather(*asking) == [2 * number for number in range(AT_ONCE + SEATS + 7)]
    assert [len(trip) for trip in far.trips[AT_ONCE:]] == [SEATS, 7]


async def test_who_gets_no_answer_is_told_in_time() -> None:
    far = Far(timeout=0.01)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await far.flights.take(1)
    assert loop.time() - began >= 0.01


async def test_a_silence_ends_and_others_are_carried_again() -> None:
    far = Far(timeout=0.01)
    for _ in range(AT_ONCE):
        with pytest.raises(TimeoutError):
            await far.flights.take(1)
    far.goes_on.set()
    for _ in range(100):
        if not far.flights._tasks:
            break
        await asyncio.sleep(0.005)
    assert await far.flights.take(4) == 8


async def test_an_answer_that_is_there_counts_however_late_this_process_reads_it() -> None:
    loop = asyncio.get_running_loop()

    async def carry(numbers: Sequence[int]) -> list[int]:
        # The answer is there at once, and the loop is busy for five times the timeout.
        loop.call_soon(lambda: _busy(loop, 0.05))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return list(numbers)

    assert await Flights(carry, 0.01).take(7) == 7


def _busy(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    until = loop.time() + seconds
    while loop.time() < until:
        pass


async def test_whoever_waits_for_one_that_answers_others_waits_twice_the_timeout_at_most() -> None:
    hangs = asyncio.Event()

    async def carry(numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            await hangs.wait()
        return list(numbers)

    flights = Flights(carry, 0.1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    stuck = asyncio.create_task(flights.take(0))
    while not stuck.done():
        assert await flights.take(1) == 1
        await asyncio.sleep(0.001)
    assert isinstance(stuck.exception(), QueueError)
    assert loop.time() - began >= 0.2


async def test_a_fault_is_everybodys_who_travels_and_nobody_elses() -> None:
    async def carry(numbers: Sequence[int]) -> list[int]:
        if 13 in numbers:
            raise ConnectionError("gone")
        return list(numbers)

    flights = Flights(carry, 5)
    found = await asyncio.gather(*(flights.take(number) for number in (1, 13, 2)), return_exceptions=True)
    assert found[0::2] == [1, 2]
    assert isinstance(found[1], ConnectionError)


async def test_whoever_gives_up_leaves_an_empty_seat() -> None:
    far = Far()
    asking = [asyncio.create_task(far.flights.take(number)) for number in range(AT_ONCE + 3)]
    await _turns()
    asking[AT_ONCE].cancel()
    await _turns()
    far.goes_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[AT_ONCE], asyncio.CancelledError)
    assert far.trips[AT_ONCE:] == [[AT_ONCE + 1, AT_ONCE + 2]]
