"""One computation at a time."""

import asyncio
from typing import Any

import pytest

from mita_otel.cache.flights import Flight, Flights


class Computation:
    """Counts how often it is made, and ends when it is told to."""

    def __init__(self, result: object = "result") -> None:
        self.made = 0
        self.flights: list[Flight] = []
        self.go_on = asyncio.Event()
        self.result = result

    async def __call__(self, flight: Flight) -> Any:
        self.made += 1
        self.flights.append(flight)
        await self.go_on.wait()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def _begun(computation: Computation, times: int = 1) -> None:
    async with asyncio.timeout(5):
        while computation.made < times:  # noqa: ASYNC110 - the computation has no event for that
            await asyncio.sleep(0)


async def test_many_wait_for_one() -> None:
    flights, computation = Flights(), Computation()
    asking = [asyncio.create_task(flights.join(b"k", computation)) for _ in range(100)]
    await _begun(computation)
    computation.go_on.set()
    assert await asyncio.gather(*asking) == ["result"] * 100
    assert computation.made == 1


async def test_what_is_over_is_computed_anew() -> None:
    flights, computation = Flights(), Computation()
    computation.go_on.set()
    assert [await flights.join(b"k", computation) for _ in range(3)] == ["result"] * 3
    assert (computation.made, flights._flying) == (3, {})


async def test_keys_do_not_wait_for_one_another() -> None:
    flights, slow, fast = Flights(), Computation(), Computation()
    fast.go_on.set()
    waiting = asyncio.create_task(flights.join(b"slow", slow))
    assert await flights.join(b"fast", fast) == "result"
    slow.go_on.set()
    await waiting


async def test_an_error_is_everyones_and_not_kept() -> None:
    flights, computation = Flights(), Computation(ValueError("no"))
    asking = [asyncio.create_task(flights.join(b"k", computation)) for _ in range(3)]
    await _begun(computation)
    computation.go_on.set()
    assert [type(error) for error in await asyncio.gather(*asking, return_exceptions=True)] == [ValueError] * 3
    computation.result = "better"
    assert await flights.join(b"k", computation) == "better"


async def test_the_next_computes_if_the_first_is_cancelled() -> None:
    flights, computation = Flights(), Computation()
    first = asyncio.create_task(flights.join(b"k", computation))
    await _begun(computation)
    others = [asyncio.create_task(flights.join(b"k", computation)) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await _begun(computation, 2)
    computation.go_on.set()
    assert await asyncio.gather(*others) == ["result"] * 3
    assert (first.cancelled(), computation.made) == (True, 2)


async def test_one_who_waits_may_be_cancelled_alone() -> None:
    flights, computation = Flights(), Computation()
    first, second = (asyncio.create_task(flights.join(b"k", computation)) for _ in range(2))
    await _begun(computation)
    second.cancel()
    await asyncio.wait([second])
    computation.go_on.set()
    assert await first == "result"
    assert second.cancelled()


async def test_who_is_cancelled_together_with_the_first_is_cancelled() -> None:
    flights, computation = Flights(), Computation()
    asking = [asyncio.create_task(flights.join(b"k", computation)) for _ in range(3)]
    await _begun(computation)
    for task in asking:
        task.cancel()
    await asyncio.wait(asking, timeout=5)
    assert [task.cancelled() for task in asking] == [True] * 3
    assert (computation.made, flights._flying) == (1, {})


@pytest.mark.parametrize("through_a_task", [False, True])
async def test_a_computation_that_asks_for_itself_does_not_wait_for_itself(through_a_task: bool) -> None:  # noqa: FBT001
    flights = Flights()
    depths: list[int] = []

    async def recurse(_: Flight) -> int:
        depths.append(len(depths))
        if len(depths) == 4:
            return 0
        again = flights.join(b"k", recurse)
        below: int = await asyncio.create_task(again) if through_a_task else await again
        return 1 + below

    async with asyncio.timeout(5):
        assert await flights.join(b"k", recurse) == 3


async def test_after_an_invalidation_no_one_joins_and_nothing_is_current() -> None:
    flights, before, after = Flights(), Computation("before"), Computation("after")
    old = asyncio.create_task(flights.join(b"k", before))
    await _begun(before)
    flights.abandon(b"k")
    new = asyncio.create_task(flights.join(b"k", after))
    await _begun(after)
    before.go_on.set()
    after.go_on.set()
    assert (await old, await new) == ("before", "after")
    assert (before.flights[0].is_current, after.flights[0].is_current) == (False, True)


async def test_event_loops_do_not_wait_for_one_another() -> None:
    flights, computation = Flights(), Computation()
    waiting = asyncio.create_task(flights.join(b"k", computation))
    await _begun(computation)

    async def elsewhere(_: Flight) -> str:
        return "elsewhere"

    def run() -> Any:
        return asyncio.run(flights.join(b"k", elsewhere))

    assert await asyncio.to_thread(run) == "elsewhere"
    computation.go_on.set()
    assert await waiting == "result"
