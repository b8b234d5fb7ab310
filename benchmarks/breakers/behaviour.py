"""The script that every breaker is put through, and what it did."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.breakers.libraries import FAILURES, SLOW, Guarded, Subject, wait_out

CALLERS: Final = 50


@dataclass(frozen=True)
class Finding:
    """What came of one question.

    Attributes:
        told: in a few words.
        is_right: whether that is what a breaker should do.
    """

    told: str
    is_right: bool


async def _fail() -> None:
    raise ConnectionError


async def _succeed() -> None:
    """Do nothing."""


async def _succeed_slowly() -> None:
    await asyncio.sleep(SLOW * 1.5)


async def _is_refused(subject: Subject, guarded: Guarded) -> bool:
    try:
        await guarded(_succeed)
    except subject.refusal:
        return True
    return False


async def _fail_times(guarded: Guarded, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(Exception):
            await guarded(_fail)


async def opens(subject: Subject) -> Finding:
    """Let it fail as often as it should bear, and once more."""
    guarded = subject.make()
    await _fail_times(guarded, FAILURES)
    refused = await _is_refused(subject, guarded)
    return Finding(f"after {FAILURES}" if refused else f"not after {FAILURES}", refused)


async def probes(subject: Subject) -> Finding:
    """Call from many sides at once, the moment that it may be probed."""
    guarded = subject.make()
    await _fail_times(guarded, FAILURES)
    await wait_out()
    answer, reached = asyncio.Event(), 0

    async def dependency() -> None:
        nonlocal reached
        reached += 1
        await answer.wait()

    calls = [asyncio.create_task(_quietly(guarded(dependency))) for _ in range(CALLERS)]
    await asyncio.sleep(0.05)
    seen, waiting = reached, sum(not call.done() for call in calls) - reached
    answer.set()
    await asyncio.gather(*calls)
    told = f"{seen} of {CALLERS}" + (f", {waiting} wait for a lock" if waiting else "")
    return Finding(told, seen == 1 and waiting == 0)


async def cancellation(subject: Subject) -> Finding:
    """Cancel callers, as clients that hang up do."""
    guarded = subject.make()

    async def cancelled() -> None:
        raise asyncio.CancelledError

    for _ in range(2 * FAILURES):
        if subject.is_threaded:
            with contextlib.suppress(BaseException):
                await guarded(cancelled)
            continue
        call = asyncio.create_task(_quietly(guarded(asyncio.Event().wait)))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    refused = await _is_refused(subject, guarded)
    return Finding("opens it" if refused else "counts nothing", not refused)


async def stale_completion(subject: Subject) -> Finding:
    """Let a call from before the trip succeed while a probe is under way."""
    guarded = subject.make()
    if subject.is_threaded:
        return Finding("cannot happen: one call at a time", is_right=True)
    old, probe = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(_quietly(guarded(old.wait)))
    await asyncio.sleep(0)
    await _fail_times(guarded, FAILURES)
    await wait_out()
    second = asyncio.create_task(_quietly(guarded(probe.wait)))
    await asyncio.sleep(0)
    old.set()
    await first
    refused = await _is_refused(subject, guarded)
    probe.set()
    await second
    return Finding("ignored" if refused else "closes it", refused)


async def slow_calls(subject: Subject) -> Finding:
    """Succeed, but slowly."""
    guarded = subject.make()
    if not subject.has_slow_calls:
        return Finding("not known", is_right=False)
    for _ in range(FAILURES):
        await guarded(_succeed_slowly)
    refused = await _is_refused(subject, guarded)
    return Finding("open it" if refused else "do not open it", refused)


async def _quietly(call: Any) -> None:
    with contextlib.suppress(Exception):
        await call


QUESTIONS: Final[dict[str, Callable[[Subject], Coroutine[Any, Any, Finding]]]] = {
    "opens": opens,
    f"probes let through of {CALLERS} at once": probes,
    "10 cancelled calls": cancellation,
    "an old call that ends late": stale_completion,
    "slow calls": slow_calls,
}

NEEDED: Final = tuple(name for name in QUESTIONS if name != "slow calls")
"""What a breaker must do right to be called correct; slow calls are a feature."""


def examine(subject: Subject) -> dict[str, Finding]:
    """Put a breaker through the script."""
    return {name: asyncio.run(ask(subject)) for name, ask in QUESTIONS.items()}
