"""Measurements of several histograms that are taken together, and wait until a collection asks for them.

A request is measured three times at its end. Added one by one, that takes 2 us of its thread; put into a queue as one
tuple 0.3, and 0.4 for each when a hundred are added in one go.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext

from mita_otel.metrics.bound import BoundHistogram, Seen

WAITING: Final = 256
"""Measurements that wait at most; adding so many takes about 0.1 ms."""

Values: TypeAlias = tuple[float, ...]


class Batch:
    """Histograms that are measured together, each under one set of attributes.

    The first measurement goes to the handles at once, which makes the series; so does every one where a series cannot
    be added to by a handle alone (see `bound`).

    Args:
        handles: in the order of the values.
    """

    __slots__ = ("_handles", "_is_direct", "_waiting")

    def __init__(self, handles: Sequence[BoundHistogram]) -> None:
        self._handles = tuple(handles)
        self._waiting: deque[tuple[Values, Seen | None]] = deque()
        self._is_direct = True

    def record(self, values: Values, context: Context, span: SpanContext | None) -> None:
        """Record one value of each histogram.

        Args:
            values: 0 and above, finite; in the units of the instruments.
            context: of the measurement.
            span: what `bound.sampled` says of the context.
        """
        if self._is_direct:
            for handle, value in zip(self._handles, values, strict=True):
                handle.record_of(value, context, span)
            self._is_direct = not all(handle.adds_alone() for handle in self._handles)
            return
        waiting = self._waiting
        # The ids by their position, as the properties are calls.
        waiting.append((values, None if span is None else (time.time_ns(), span[1], span[0])))
        if len(waiting) >= WAITING:
            self.fold()

    def fold(self) -> None:
        """Add what waits. Threads may do so at once, and record meanwhile: each measurement is added once."""
        waiting = self._waiting
        taken: list[tuple[Values, Seen | None]] = []
        try:
            for _ in range(len(waiting)):
                taken.append(waiting.popleft())  # noqa: PERF401 - one at a time, so that another thread takes others
        except IndexError:  # another thread was faster
            pass
        if not taken:
            return
        values, seen = zip(*taken, strict=True)
        for handle, column in zip(self._handles, zip(*values, strict=True), strict=True):
            handle.record_all(column, seen)
        self._is_direct = not all(handle.adds_alone() for handle in self._handles)

    def forget(self) -> None:
        """Drop what waits: a process that was forked off has it from its parent, who adds it."""
        self._waiting.clear()
