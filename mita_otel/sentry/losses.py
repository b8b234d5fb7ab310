"""Reports that could not be delivered: counted by reason, and told once a minute."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from sentry_sdk.transport import HttpTransport

from mita_otel.metrics.catalogue.telemetry import SENTRY_LOST
from mita_otel.tally import Tally

INTERVAL: Final = 60.0
"""Seconds between two lines."""

REASONS: Final[Mapping[str, str]] = {
    "queue_overflow": "queue_full",
    "network_error": "network",
    "send_error": "refused",
    "ratelimit_backoff": "refused",
    "internal_sdk_error": "failed",
}
"""What the SDK's reasons are called here; what it drops on purpose, such as by a share, is no loss."""

_KINDS: Final = frozenset({"error", "transaction"})
_logger: Final = logging.getLogger("mita_otel.sentry")


class Losses:
    """Counts and tells; any thread may.

    Args:
        clock: seconds that only grow.
    """

    __slots__ = ("_clock", "_counts", "_told_at")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # From zero: a first increase that no one saw begin is no increase to Prometheus.
        self._counts = {reason: Tally() for reason in REASONS.values()}
        self._told_at: float | None = None

    def add(self, reason: str) -> None:
        """Count a report; tell of it, unless that was done a moment ago."""
        self._counts[reason].add()
        now = self._clock()
        if self._told_at is None or now - self._told_at >= INTERVAL:
            self._told_at = now
            _logger.warning("%d reports to Sentry lost so far; the last one: %s", sum(self.counts().values()), reason)

    def counts(self) -> dict[str, int]:
        """Return the counts of this moment by reason; they only grow."""
        return {reason: tally.value() for reason, tally in self._counts.items()}

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as a metric."""

        def read(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(count, {"error.type": reason}) for reason, count in self.counts().items()]

        SENTRY_LOST.observe(meter_provider.get_meter("mita_otel.sentry"), read)


def delivering(losses: Losses) -> type[HttpTransport]:
    """Return the SDK's transport, counting what it could not deliver."""

    class Delivering(HttpTransport):
        """Says what it loses."""

        def record_lost_event(
            self, reason: str, data_category: Any = None, item: Any = None, *, quantity: int = 1
        ) -> None:
            """Count what the SDK says is lost."""
            kind = data_category if item is None else item.data_category
            if kind in _KINDS and reason in REASONS:
                losses.add(REASONS[reason])
            super().record_lost_event(reason, data_category, item, quantity=quantity)

    return Delivering
