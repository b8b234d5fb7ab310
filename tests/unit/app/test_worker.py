"""A worker goes on whatever happens, hears its bell, and ends when told."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from app.errors import ApiError
from app.work import worker as module
from app.work.bells import Bell
from app.work.worker import Worker, pause_after
from tests.fixtures.polling import eventually_async


async def happens(condition: Callable[[], bool]) -> None:
    async def read() -> bool:
        return condition()

    await eventually_async(read, interval=0.001)


class Rounds:
    def __init__(self, *pauses: float | Exception) -> None:
        self.count = 0
        self._pauses = pauses

    async def __call__(self) -> float:
        self.count += 1
        pause = self._pauses[min(self.count, len(self._pauses)) - 1]
        if isinstance(pause, Exception):
            raise pause
        return pause


async def test_a_bell_calls_a_worker_before_its_time() -> None:
    rounds, bell = Rounds(3600), Bell()
    worker = Worker("test", rounds, bell, seconds=3600, delay=0)
    worker.start()
    await happens(lambda: rounds.count == 1)
    bell.ring()
    await happens(lambda: rounds.count == 2)
    worker.stop()
    await worker.stopped()


async def test_a_bell_that_rings_during_a_round_is_not_missed() -> None:
    rung = Bell()
    rounds = Rounds(3600)

    async def ring_and_count() -> float:
        if rounds.count == 0:
            rung.ring()
        return await rounds()

    worker = Worker("test", ring_and_count, rung, seconds=3600, delay=0)
    worker.start()
    await happens(lambda: rounds.count == 2)
    worker.stop()
    await worker.stopped()


async def test_a_worker_comes_back_as_soon_as_a_round_says() -> None:
    rounds = Rounds(0, 0, 3600)
    worker = Worker("test", rounds, Bell(), seconds=3600, delay=0)
    worker.start()
    await happens(lambda: rounds.count == 3)
    worker.stop()
    await worker.stopped()


async def test_a_round_that_fails_is_logged_and_the_next_one_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "AFTER_FAILURE", 0.0)
    rounds = Rounds(KeyError("x"), 3600)
    worker = Worker("test", rounds, Bell(), seconds=3600, delay=0)
    with caplog.at_level(logging.ERROR):
        worker.start()
        await happens(lambda: rounds.count == 2)
    assert [record.message for record in caplog.records] == ["background work failed"]
    worker.stop()
    await worker.stopped()


async def test_what_is_not_available_is_a_warning_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "AFTER_FAILURE", 0.0)
    rounds = Rounds(ApiError(503, "DATABASE_UNAVAILABLE", "x"), 3600)
    worker = Worker("test", rounds, Bell(), seconds=3600, delay=0)
    worker.start()
    await happens(lambda: rounds.count == 2)
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
    worker.stop()
    await worker.stopped()


@pytest.mark.parametrize(("failures", "expected"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (10**6, 15)])
def test_a_worker_that_keeps_failing_asks_less_and_less_often(failures: int, expected: float) -> None:
    assert pause_after(failures, 15) == expected


async def test_a_round_under_way_is_finished() -> None:
    begun, done = asyncio.Event(), asyncio.Event()
    finished = []

    async def slow() -> float:
        begun.set()
        await done.wait()
        finished.append(True)
        return 3600

    worker = Worker("test", slow, Bell(), seconds=3600, delay=0)
    worker.start()
    await begun.wait()
    worker.stop()
    done.set()
    await worker.stopped()
    assert finished == [True]


async def test_a_round_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOPPING", 0.05)
    begun = asyncio.Event()

    async def endless() -> float:
        begun.set()
        await asyncio.Event().wait()
        return 0

    worker = Worker("test", endless, Bell(), seconds=3600, delay=0)
    worker.start()
    await begun.wait()
    worker.stop()
    async with asyncio.timeout(5):
        await worker.stopped()


async def test_a_worker_that_never_began_ends_at_once() -> None:
    await Worker("test", Rounds(1), Bell(), seconds=1).stopped()
