"""One line a minute about a delivery that fails, one line when it works again."""

import logging
import time
from typing import Final

from mita_otel.export.statistics import Statistics

LOGGER: Final = "mita_otel.export"
"""Logger of the lines; two a minute a signal at most, so that even exported they cannot storm."""

INTERVAL: Final = 60.0
"""Seconds between two warnings of one signal."""

_logger = logging.getLogger(LOGGER)


class _Episode:
    """A time of trouble: from the first fault to the first delivery without one."""

    def __init__(self, since: float, lost_before: int) -> None:
        self.since = since
        self.lost_before = lost_before
        self.attempts = 0
        self.reason = ""
        self.announced = False


class DeliverySummary:
    """Collects faults and decides what is said about them; used by one thread.

    Args:
        signal: First word of each line.
        destination: Where the attempts go.
    """

    def __init__(self, signal: str, destination: str) -> None:
        self._signal = signal
        self._destination = destination
        self._episode: _Episode | None = None
        self._warned_at: float | None = None
        self._lost_in_peace = 0

    def fault(self, reason: str, statistics: Statistics, now: float, *, attempt: bool = False) -> None:
        """Take note of a fault, and warn unless there was a warning within the last minute.

        Args:
            reason: For people, without the destination.
            statistics: The outbox's, before the fault is counted in them or after.
            now: Seconds since the epoch.
            attempt: The fault is an attempt that failed and will be made again.
        """
        episode = self._episode
        if episode is None:
            episode = self._episode = _Episode(now, self._lost_in_peace)
        episode.attempts += attempt
        episode.reason = reason
        if self._warned_at is None or now - self._warned_at >= INTERVAL:
            self._warned_at = now
            episode.announced = True
            _logger.warning("%s", self._line(episode, statistics))

    def delivered(self, statistics: Statistics, now: float) -> None:
        """Take note of a delivery without fault, and say so if there was a warning about what went before."""
        episode, self._episode = self._episode, None
        self._lost_in_peace = statistics.lost
        if episode is not None and episode.announced:
            _logger.info(
                "%s: delivering again to %s after %.0f s and %d failed attempts, %d lost",
                self._signal,
                self._destination,
                max(now - episode.since, 0.0),
                episode.attempts,
                statistics.lost - episode.lost_before,
            )

    def abandoned(self, left: int, statistics: Statistics) -> None:
        """Say what a shutdown left undelivered."""
        reason = f", last fault: {self._episode.reason}" if self._episode else ""
        _logger.warning(
            "%s: shut down with %d undelivered to %s%s, %d lost in all",
            self._signal,
            left,
            self._destination,
            reason,
            statistics.lost,
        )

    def _line(self, episode: _Episode, statistics: Statistics) -> str:
        since = time.strftime("%H:%M:%S", time.localtime(episode.since))
        what = f"{episode.attempts} attempts failed since {since}" if episode.attempts else f"trouble since {since}"
        lost = {"dropped": statistics.dropped, "refused": statistics.refused, "rejected": statistics.rejected}
        told = ", ".join(f"{count} {name}" for name, count in lost.items() if count or name == "dropped")
        return f"{self._signal}: {what} ({episode.reason}, {self._destination}), {statistics.queued} queued, {told}"
