"""A limit on the time that an observable instrument's callback may take, which the SDK does not have.

The SDK calls the callbacks of all instruments one after the other, under a lock: one that hangs ends the export of
every metric of the process, and blocks whoever makes an instrument meanwhile.
"""

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any, Final

import wrapt
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.sdk.metrics._internal import instrument as sdk
from opentelemetry.sdk.metrics._internal.measurement import Measurement

from mita_otel.metrics.catalogue.telemetry import METRIC_CALLBACK_TIMEOUTS

LIMIT: Final = 2.0
"""Seconds. Whatever takes longer belongs into a task of its own, whose last result the callback tells.
Source: as long as a health check may take before it counts as at risk, observability report, section 2.2."""

_logger: Final = logging.getLogger("mita_otel.metrics")


class CallbackGuard:
    """Leaves out the measurements of an instrument whose callbacks do not return in time, and counts them.

    Callbacks run in a thread beside the collecting one. A thread that a callback holds is given up, and the instrument
    is left out until it returns, so that there are never more such threads than instruments. The one method of the SDK
    that calls back is wrapped, as for the cardinality.

    Args:
        limit: seconds for all callbacks of one instrument.
    """

    __slots__ = ("_limit", "_stuck", "_timeouts", "_undo", "_worker")

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._timeouts: Counter[str] = Counter()
        self._undo: Callable[[], None] | None = None
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def install(self) -> None:
        """Begin to guard every observable instrument of this process."""
        original = sdk._Asynchronous.callback  # noqa: SLF001 - see the class's docstring
        wrapt.wrap_function_wrapper(sdk, "_Asynchronous.callback", self._collect)

        def undo() -> None:
            sdk._Asynchronous.callback = original  # type: ignore[method-assign]  # noqa: SLF001 - as above

        self._undo = undo

    def remove(self) -> None:
        """Stop guarding."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def observe(self, provider: MeterProvider) -> None:
        """Report how many callbacks were given up, by instrument."""
        METRIC_CALLBACK_TIMEOUTS.observe(provider.get_meter("mita_otel.metrics.callbacks"), self._report)

    def _report(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"mita.instrument.name": name}) for name, count in self._timeouts.copy().items()]

    def _forget(self) -> None:
        """Begin without threads, as a forked child does."""
        self._worker: _Worker | None = None
        self._stuck: dict[int, _Worker] = {}

    def _collect(
        self, wrapped: Callable[..., Iterable[Measurement]], instrument: Any, args: tuple[Any, ...], _: dict[str, Any]
    ) -> Iterable[Measurement]:
        stuck = self._stuck.get(id(instrument))
        if stuck is not None:
            if not stuck.idle:
                self._timeouts[instrument.name] += 1
                return ()
            del self._stuck[id(instrument)]
        try:
            worker = self._worker = self._worker or _Worker()
        except RuntimeError:  # no thread starts while the interpreter exits
            return wrapped(*args)
        measurements = worker.run(lambda: list(wrapped(*args)), self._limit)
        if measurements is None:
            self._give_up(instrument, worker)
            return ()
        return measurements

    def _give_up(self, instrument: Any, worker: "_Worker") -> None:
        self._worker = None
        self._stuck[id(instrument)] = worker
        worker.end()
        self._timeouts[instrument.name] += 1
        _logger.warning(
            "%s: its callback did not return within %.0f s; it is left out until it does",
            instrument.name,
            self._limit,
        )


class _Worker:
    """A thread that runs one piece of work at a time."""

    __slots__ = ("_results", "_work", "idle")

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], list[Measurement]] | None] = SimpleQueue()
        self._results: SimpleQueue[list[Measurement]] = SimpleQueue()
        self.idle = True
        threading.Thread(target=self._serve, name="mita-metric-callbacks", daemon=True).start()

    def run(self, work: Callable[[], list[Measurement]], limit: float) -> list[Measurement] | None:
        """Return the result of a piece of work, or None if it takes longer than `limit` seconds."""
        self.idle = False
        self._work.put(work)
        try:
            return self._results.get(timeout=limit)
        except Empty:
            return None

    def end(self) -> None:
        """Let the thread end once its work has returned."""
        self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                result = work()
            except Exception:  # the SDK catches what callbacks raise; this is for a fault of its own
                _logger.exception("a callback could not be run")
                result = []
            self.idle = True
            self._results.put(result)
