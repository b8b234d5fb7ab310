"""How late an event loop runs its timers: the time that some callback kept it from everything else."""

import asyncio
import weakref
from typing import Final

from opentelemetry.metrics import MeterProvider

INTERVAL: Final = 0.5
"""Seconds between two samples: a block longer than this is always seen, and 2 samples a second cost nothing."""

BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds; below 1 ms it is the operating system's timer that is measured."""


class EventLoopLag:
    """Records `mita.event_loop.lag` for every loop it watches, each once."""

    __slots__ = ("_histogram", "_watched")

    def __init__(self, provider: MeterProvider) -> None:
        self._watched: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._histogram = provider.get_meter("mita_otel.metrics.event_loop").create_histogram(
            "mita.event_loop.lag",
            unit="s",
            description="Delay of a timer of the event loop beyond its due time.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to sample a running loop; the samples end with the loop."""
        if loop not in self._watched:
            self._watched.add(loop)
            self._schedule(loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_at(loop.time() + INTERVAL, self._sample, loop, loop.time() + INTERVAL)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._histogram.record(max(0.0, loop.time() - due))
        self._schedule(loop)
