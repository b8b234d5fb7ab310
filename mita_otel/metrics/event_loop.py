"""How late an event loop runs its timers: the time that some callback kept it from everything else."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Final

from opentelemetry.metrics import MeterProvider

from mita_otel.metrics.catalogue.process import EVENT_LOOP_LAG

INTERVAL: Final = 0.5
"""Seconds between two samples: a block longer than this is always seen, and 2 samples a second cost nothing."""


class EventLoopLag:
    """Records `mita.event_loop.lag` for every loop it watches, each once.

    Attributes:
        latest: returns the loop that it was told to watch last, so that a request of the same one asks no more.
    """

    __slots__ = ("_histogram", "_watched", "latest")

    def __init__(self, provider: MeterProvider) -> None:
        self._watched: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self.latest: Callable[[], asyncio.AbstractEventLoop | None] = lambda: None
        self._histogram = EVENT_LOOP_LAG.create(provider.get_meter("mita_otel.metrics.event_loop"))

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to sample a running loop; the samples end with the loop."""
        self.latest = weakref.ref(loop)
        if loop not in self._watched:
            self._watched.add(loop)
            self._schedule(loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_at(loop.time() + INTERVAL, self._sample, loop, loop.time() + INTERVAL)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._histogram.record(max(0.0, loop.time() - due))
        self._schedule(loop)
