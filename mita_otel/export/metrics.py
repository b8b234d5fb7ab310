"""Metrics by the same senders: one collection at a time, tried again within its time."""

import contextlib
import random
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)

from mita_otel.export.bell import Bell
from mita_otel.export.metric_record import encode_metrics
from mita_otel.export.observation import Durations, observe_points
from mita_otel.export.pace import Pace
from mita_otel.export.quiet import quietly
from mita_otel.export.sender import Accepted, Outcome, Refused, Retry, Sender
from mita_otel.export.statistics import Statistics
from mita_otel.export.summary import DeliverySummary

_CUMULATIVE, _DELTA = AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA
_INSTRUMENTS: Final = (
    Counter,
    UpDownCounter,
    Histogram,
    ObservableCounter,
    ObservableUpDownCounter,
    ObservableGauge,
)
_DELTA_INSTRUMENTS: Final[Mapping[str, frozenset[type]]] = {
    "cumulative": frozenset(),
    "delta": frozenset({Counter, Histogram, ObservableCounter}),
    "lowmemory": frozenset({Counter, Histogram}),
}
_HISTOGRAMS: Final[Mapping[str, type[Aggregation]]] = {
    "explicit_bucket_histogram": ExplicitBucketHistogramAggregation,
    "base2_exponential_bucket_histogram": ExponentialBucketHistogramAggregation,
}


class OtlpMetricExporter(MetricExporter):
    """Sends each collection, again and again until it is taken, refused, or its time is over.

    With cumulative temporality a collection that was given up loses nothing but its moment: the next one carries the
    sums on. Points given up are counted as refused.

    Args:
        sender: For the `metrics` signal.
        temporality: `cumulative`, `delta` or `lowmemory`, in any case: the value of
            `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
        histogram: `explicit_bucket_histogram` or `base2_exponential_bucket_histogram`, in any case: the value of
            `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`.
        pace: Times; the sizes are not used.

    Raises:
        ValueError: The message names the variable, the value and what is allowed.
    """

    signal: Final = "metrics"
    capacity: Final = None
    """There is no queue: a collection waits for nothing but its own delivery."""

    def __init__(
        self,
        sender: Sender,
        *,
        temporality: str = "cumulative",
        histogram: str = "explicit_bucket_histogram",
        pace: Pace | None = None,
    ) -> None:
        super().__init__(preferred_temporality(temporality), preferred_aggregation(histogram))
        self._sender = sender
        self._pace = pace or Pace()
        self._summary = DeliverySummary("metrics", sender.destination)
        self._bell = Bell()
        self._stopped = False
        self._observe_duration: Durations | None = None
        self._accepted = self._rejected = self._refused = self._retries = self._unfit = 0

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any) -> MetricExportResult:
        """Deliver a collection within `timeout_millis` milliseconds, attempts and waits included."""
        points = 0
        with quietly():
            try:
                points = _points(metrics_data)
                payload, unfit = encode_metrics(metrics_data)
                self._unfit += unfit
                points -= unfit
                started = time.monotonic()
                outcome = self._deliver(payload, started + timeout_millis / 1000)
                self._time(time.monotonic() - started, outcome)
                return self._record(points, outcome)
            except Exception as error:  # noqa: BLE001 - the guard of this room: the reader's thread must go on
                self._unfit += points
                with contextlib.suppress(Exception):  # a log handler of the application may raise
                    self._summary.fault(f"export failed: {type(error).__name__}", self.statistics(), time.time())
                return MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Return True: nothing is kept between exports."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: Any) -> None:  # noqa: ARG002 - the SDK's signature
        """End a running export at its next wait, and release the connection."""
        self._stopped = True
        self._bell.ring()
        self._sender.close()

    def statistics(self) -> Statistics:
        """Return the counts of this moment, in data points."""
        return Statistics(
            entered=self._accepted + self._rejected + self._refused + self._unfit,
            accepted=self._accepted,
            rejected=self._rejected,
            refused=self._refused,
            dropped_encode_error=self._unfit,
            retries=self._retries,
        )

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as the standard SDK metrics; what one collection counts, the next one carries."""
        self._observe_duration = observe_points(self.statistics, meter_provider)

    def _time(self, seconds: float, outcome: Outcome) -> None:
        if self._observe_duration is not None:
            self._observe_duration(seconds, None if isinstance(outcome, Accepted) else outcome.reason)

    def _deliver(self, payload: bytes, deadline: float) -> Outcome:
        failures = 0
        while not self._stopped and (remaining := deadline - time.monotonic()) > 0:
            outcome = self._sender.send(payload, min(remaining, self._pace.attempt_timeout))
            if not isinstance(outcome, Retry):
                return outcome
            failures += 1
            wait = self._pace.wait(failures, outcome.after, random.random())  # noqa: S311 - jitter
            if wait >= deadline - time.monotonic():
                return outcome
            self._retries += 1
            self._summary.fault(outcome.reason, self.statistics(), time.time(), attempt=True)
            self._bell.wait(wait)
        return Retry("shutdown" if self._stopped else "out of time")

    def _record(self, points: int, outcome: Outcome) -> MetricExportResult:
        match outcome:
            case Accepted(rejected, message):
                rejected = min(rejected, points)
                self._rejected += rejected
                self._accepted += points - rejected
                if rejected or message:
                    self._summary.fault(message or "partial success", self.statistics(), time.time())
                else:
                    self._summary.delivered(self.statistics(), time.time())
                return MetricExportResult.SUCCESS
            case Refused(reason) | Retry(reason):
                self._refused += points
                self._summary.fault(reason, self.statistics(), time.time(), attempt=isinstance(outcome, Retry))
                return MetricExportResult.FAILURE


def preferred_temporality(name: str) -> dict[type, AggregationTemporality]:
    """Return the temporality of each instrument type. Source: OTLP metrics exporter specification.

    Raises:
        ValueError: The name is none of `cumulative`, `delta`, `lowmemory`.
    """
    delta = _DELTA_INSTRUMENTS.get(name.strip().lower())
    if delta is None:
        raise _wrong("TEMPORALITY_PREFERENCE", name, _DELTA_INSTRUMENTS)
    return {instrument: _DELTA if instrument in delta else _CUMULATIVE for instrument in _INSTRUMENTS}


def preferred_aggregation(name: str) -> dict[type, Aggregation]:
    """Return the aggregation of histograms that no View speaks of.

    Raises:
        ValueError: The name is none of the two that the specification knows.
    """
    aggregation = _HISTOGRAMS.get(name.strip().lower())
    if aggregation is None:
        raise _wrong("DEFAULT_HISTOGRAM_AGGREGATION", name, _HISTOGRAMS)
    return {Histogram: aggregation()}


def _wrong(option: str, value: str, allowed: Mapping[str, object]) -> ValueError:
    variable = f"OTEL_EXPORTER_OTLP_METRICS_{option}"
    return ValueError(f"{variable}={value!r} is not allowed; allowed: {', '.join(allowed)}")


def _points(metrics_data: MetricsData) -> int:
    return sum(
        len(metric.data.data_points)
        for resource in metrics_data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
