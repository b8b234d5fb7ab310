"""What a call through a closed breaker costs: the processor's time, round by round in turn.

The clock on the wall would also count what else the machine does, and the longer a round is the more of that.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.breakers.libraries import Guarded, Subject

ROUNDS: Final = 15
CALLS: Final = 2_000


async def _dependency() -> None:
    """Do nothing."""


def _function() -> None:
    """Do nothing."""


async def _round(guarded: Guarded | None) -> float:
    began = time.thread_time()
    if guarded is None:
        for _ in range(CALLS):
            await _dependency()
    else:
        for _ in range(CALLS):
            await guarded(_dependency)
    return (time.thread_time() - began) / CALLS * 1e6


def _round_sync(guarded: Callable[[Callable[[], object]], object] | None) -> float:
    began = time.thread_time()
    if guarded is None:
        for _ in range(CALLS):
            _function()
    else:
        for _ in range(CALLS):
            guarded(_function)
    return (time.thread_time() - began) / CALLS * 1e6


def measure(subjects: Sequence[Subject], rounds: int = ROUNDS) -> dict[str, tuple[float | None, float | None]]:
    """Return the microseconds that a breaker adds to a coroutine and to a function: medians of the rounds."""
    awaited = {subject.name: subject.make() for subject in subjects if not subject.is_threaded}
    called = {subject.name: subject.make_sync() for subject in subjects if subject.make_sync is not None}
    of_coroutines: dict[str | None, list[float]] = {name: [] for name in (None, *awaited)}
    of_functions: dict[str | None, list[float]] = {name: [] for name in (None, *called)}

    async def run() -> None:
        for number in range(rounds + 1):
            for name, times in of_coroutines.items():
                times.append(await _round(None if name is None else awaited[name]))
            for name, times in of_functions.items():
                times.append(_round_sync(None if name is None else called[name]))
            if number == 0:  # everything is warm now
                for times in (*of_coroutines.values(), *of_functions.values()):
                    times.clear()

    gc.collect()
    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()
    return {
        subject.name: (_added(of_coroutines, subject.name), _added(of_functions, subject.name)) for subject in subjects
    }


def _added(times: dict[str | None, list[float]], name: str) -> float | None:
    if name not in times:
        return None
    return statistics.median(guarded - bare for guarded, bare in zip(times[name], times[None], strict=True))
