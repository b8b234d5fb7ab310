"""Asks databases beside the application, from a thread of ours that has no event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
    """Run a question in an event loop of its own.

    Raises:
        TimeoutError: it was not answered in time.
    """

    async def ask_in_time() -> T:
        async with asyncio.timeout(seconds):
            return await ask()

    return asyncio.run(ask_in_time())
