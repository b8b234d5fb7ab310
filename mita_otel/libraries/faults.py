"""The guard at the door: an instrumentation's fault is counted, logged once a minute, kept from the application."""

import functools
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, ParamSpec, TypeVar

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue.telemetry import TELEMETRY_FAULTS

P = ParamSpec("P")
T = TypeVar("T")

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records about the faults of one library: a fault on each query must not flood the log."""

METER: Final = "mita_otel.libraries.faults"

swallowed: Final[Counter[str]] = Counter()
"""Faults of this process by library, those of a library without any included; it only grows."""

_logger: Final = logging.getLogger("mita_otel.libraries")


class Faults:
    """Counts the faults of one library's instrumentation.

    Args:
        library: its name, for the log.
        clock: seconds that only grow.
    """

    __slots__ = ("_clock", "_library", "_logged_at", "count")

    def __init__(self, library: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._library = library
        self._clock = clock
        self._logged_at: float | None = None
        self.count = 0
        swallowed.setdefault(library, 0)

    def report(self) -> None:
        """Count the exception being handled; log it unless another one was logged within the last minute."""
        self.count += 1
        swallowed[self._library] += 1
        now = self._clock()
        if self._logged_at is None or now - self._logged_at >= LOG_INTERVAL:
            self._logged_at = now
            _logger.warning(
                "telemetry of %s failed, %d times so far", self._library, self.count, exc_info=sys.exception()
            )

    def guard(self, function: Callable[P, T]) -> Callable[P, T | None]:
        """Return a function that answers None instead of raising an Exception."""

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
            try:
                return function(*args, **kwargs)
            except Exception:  # noqa: BLE001 - whatever fails in telemetry must not fail the application
                self.report()
                return None

        return guarded


def observe(meter_provider: MeterProvider, logging_faults: Counter[str]) -> None:
    """Publish how many faults were swallowed, by library.

    Args:
        meter_provider: makes the counter.
        logging_faults: those of the log pipeline, by place.
    """

    def read(_: CallbackOptions) -> Iterable[Observation]:
        counts = {**swallowed, "logging": swallowed["logging"] + sum(logging_faults.copy().values())}
        return [Observation(count, {"mita.library": library}) for library, count in counts.items()]

    TELEMETRY_FAULTS.observe(meter_provider.get_meter(METER), read)
