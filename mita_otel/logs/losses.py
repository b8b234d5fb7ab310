"""Records that did not reach a destination: counted by destination, reason and stream, and told once a minute."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.export import Tally
from mita_otel.logs.streams import STREAMS
from mita_otel.metrics.catalogue.telemetry import LOG_LOST

Reason: TypeAlias = Literal["queue_full", "write_failed", "stalled", "locked"]

LOGGER: Final = "mita_otel.logs.losses"
"""Logger of the lines; one a minute at most, so that they may go everywhere although the writer makes them."""

INTERVAL: Final = 60.0
"""Seconds between two lines."""

QUEUE: Final = "queue"
STDOUT: Final = "stdout"

_logger: Final = logging.getLogger(LOGGER)


class Loss(NamedTuple):
    """What losses are counted by.

    Attributes:
        destination: `queue` (no destination has the record), `stdout`, or a file's name.
        reason: why.
        stream: of the record.
    """

    destination: str
    reason: Reason
    stream: str


class Losses:
    """Counts and tells.

    Args:
        clock: seconds that only grow; the time of day may be put back.
    """

    __slots__ = ("_clock", "_counts", "_is_new", "_told", "_told_at", "last_error")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[Loss, Tally] = {}
        self.expect(QUEUE, "queue_full")
        self.begin_anew()

    def begin_anew(self) -> None:
        """Count from zero in a forked child: another thread of the parent may have been reading when it was made."""
        self._counts = {loss: Tally() for loss in self._counts}
        self._is_new = False
        self._told = 0
        self._told_at: float | None = None
        self.last_error = ""

    def add(self, destination: str, reason: Reason, stream: str) -> None:
        """Count one record; any thread may."""
        loss = Loss(destination, reason, stream)
        tally = self._counts.get(loss)
        if tally is None:
            tally = self._counts.setdefault(loss, Tally())
        tally.add()
        self._is_new = True

    def expect(self, destination: str, *reasons: Reason) -> None:
        """Begin at zero: a first increase that no one saw begin is no increase to Prometheus."""
        for reason in reasons:
            for stream in STREAMS:
                self._counts.setdefault(Loss(destination, reason, stream), Tally())

    def counts(self) -> dict[Loss, int]:
        """Return the counts of this moment; they only grow."""
        return {loss: tally.value() for loss, tally in self._counts.copy().items()}

    def by_place(self) -> dict[str, int]:
        """Return the counts that are not zero, of all streams together: `{"mita.log (write_failed)": 3}`."""
        sums: dict[str, int] = {}
        for loss, count in self.counts().items():
            if count:
                place = f"{loss.destination} ({loss.reason})"
                sums[place] = sums.get(place, 0) + count
        return sums

    def tell(self) -> None:
        """Log one line if records were lost since the last one, and one when none were for a minute after that."""
        if not self._is_new and self._told_at is None:
            return
        now = self._clock()
        if self._told_at is not None and now - self._told_at < INTERVAL:
            return
        self._is_new = False
        places = self.by_place()
        lost = sum(places.values())
        if lost > self._told:
            self._told, self._told_at = lost, now
            told = ", ".join(f"{count} {place}" for place, count in places.items())
            _logger.warning("%d log records lost so far: %s%s", lost, told, self._why())
        elif self._told_at is not None:
            self._told_at = None
            _logger.info("all log records are written again; %d were lost", lost)

    def _why(self) -> str:
        error, self.last_error = self.last_error, ""
        return f"; last error: {error}" if error else ""

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as a metric."""

        def read(_: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(
                    count,
                    {
                        "mita.log.destination": loss.destination,
                        "error.type": loss.reason,
                        "mita.log.stream": loss.stream,
                    },
                )
                for loss, count in self.counts().items()
            ]

        LOG_LOST.observe(meter_provider.get_meter("mita_otel.logs"), read)
