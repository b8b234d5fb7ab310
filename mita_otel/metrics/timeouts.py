"""Waits that were given up, whoever waited."""

from opentelemetry.metrics import MeterProvider

from mita_otel.metrics.catalogue.reliability import TIMEOUTS
from mita_otel.metrics.recording import Total


def counter(provider: MeterProvider) -> Total:
    """Return the one counter of timeouts: every library that asks gets the same series."""
    return Total(TIMEOUTS, provider.get_meter("mita_otel.metrics.timeouts"))
