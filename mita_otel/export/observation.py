"""What was counted of a delivery, as the standard metrics about the SDK itself."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from opentelemetry.metrics import Meter, MeterProvider, Observation
from opentelemetry.semconv._incubating.attributes.otel_attributes import (
    OTEL_COMPONENT_NAME,
    OTEL_COMPONENT_TYPE,
    OTEL_SPAN_PARENT_ORIGIN,
    OTEL_SPAN_SAMPLING_RESULT,
)
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

from mita_otel.export.outbox import Outbox
from mita_otel.export.statistics import Statistics
from mita_otel.metrics.catalogue import telemetry
from mita_otel.metrics.instrument import Counter, UpDownCounter
from mita_otel.traces.counts import SpanCounts

Attributes: TypeAlias = Mapping[str, str]
Durations: TypeAlias = Callable[[float, str | None], None]
"""Takes the seconds of an export operation, and its error or None."""

_METER: Final = "mita_otel.export"
_SDK_METER: Final = "opentelemetry-sdk"


class _Instruments(NamedTuple):
    """What is counted of the deliveries of one kind of items."""

    size: UpDownCounter
    capacity: UpDownCounter
    processed: Counter
    exported: Counter


_OF: Final[Mapping[str, _Instruments]] = {
    "span": _Instruments(
        size=telemetry.PROCESSOR_SPAN_QUEUE_SIZE,
        capacity=telemetry.PROCESSOR_SPAN_QUEUE_CAPACITY,
        processed=telemetry.PROCESSOR_SPAN_PROCESSED,
        exported=telemetry.EXPORTER_SPAN_EXPORTED,
    ),
    "log": _Instruments(
        size=telemetry.PROCESSOR_LOG_QUEUE_SIZE,
        capacity=telemetry.PROCESSOR_LOG_QUEUE_CAPACITY,
        processed=telemetry.PROCESSOR_LOG_PROCESSED,
        exported=telemetry.EXPORTER_LOG_EXPORTED,
    ),
}


def observe(outbox: Outbox[Any], kind: Literal["span", "log"], meter_provider: MeterProvider) -> None:
    """Register queue size and capacity, items processed and exported, and the duration of exports.

    Failures carry `error.type`: `queue_full`, `already_shutdown` and `encode_error` on the processor's counter;
    `rejected` (partial success) and `refused` on the exporter's.
    """
    meter = meter_provider.get_meter(_METER)
    instruments = _OF[kind]
    processor, exporter = _component(f"batching_{kind}_processor"), _component(f"otlp_{kind}_exporter")
    instruments.size.observe(meter, lambda _: [Observation(outbox.statistics().queued, processor)])
    instruments.capacity.observe(meter, lambda _: [Observation(outbox.pace.capacity, processor)])
    instruments.processed.observe(meter, lambda _: _processed(outbox.statistics(), processor))
    instruments.exported.observe(meter, lambda _: _exported(outbox.statistics(), exporter))
    outbox.observe_duration = _durations(meter, exporter)


def observe_points(statistics: Callable[[], Statistics], meter_provider: MeterProvider) -> Durations:
    """Register the metric data points exported, and return what takes the duration of an export.

    Failures carry `error.type`: `rejected` (partial success), `refused` (by the receiver, or given up when the time for
    the collection was over) and `encode_error`.
    """
    meter = meter_provider.get_meter(_METER)
    exporter = _component("otlp_metric_exporter")
    telemetry.EXPORTER_METRIC_DATA_POINT_EXPORTED.observe(meter, lambda _: _exported_points(statistics(), exporter))
    return _durations(meter, exporter)


def observe_spans(counts: SpanCounts, meter_provider: MeterProvider) -> None:
    """Register the spans started and alive, under the SDK's names and in its scope."""
    meter = meter_provider.get_meter(_SDK_METER)
    telemetry.SPAN_STARTED.observe(meter, lambda _: _started(counts))
    telemetry.SPAN_LIVE.observe(meter, lambda _: _live(counts))


def _started(counts: SpanCounts) -> list[Observation]:
    return [
        Observation(number, {OTEL_SPAN_PARENT_ORIGIN: origin, OTEL_SPAN_SAMPLING_RESULT: decision})
        for origin, decision, number in counts.started()
    ]


def _live(counts: SpanCounts) -> list[Observation]:
    return [Observation(number, {OTEL_SPAN_SAMPLING_RESULT: decision}) for decision, number in counts.live()]


def _durations(meter: Meter, exporter: Attributes) -> Durations:
    duration = telemetry.EXPORTER_OPERATION_DURATION.create(meter)
    return lambda seconds, error: duration.record(
        seconds, exporter if error is None else {**exporter, ERROR_TYPE: error}
    )


def _processed(statistics: Statistics, component: Attributes) -> list[Observation]:
    exported = statistics.accepted + statistics.rejected + statistics.refused
    return [
        Observation(exported, component),
        Observation(statistics.dropped_queue_full, {**component, ERROR_TYPE: "queue_full"}),
        Observation(statistics.dropped_encode_error, {**component, ERROR_TYPE: "encode_error"}),
        Observation(statistics.dropped_shutdown, {**component, ERROR_TYPE: "already_shutdown"}),
    ]


def _exported(statistics: Statistics, component: Attributes) -> list[Observation]:
    return [
        Observation(statistics.accepted, component),
        Observation(statistics.rejected, {**component, ERROR_TYPE: "rejected"}),
        Observation(statistics.refused, {**component, ERROR_TYPE: "refused"}),
    ]


def _exported_points(statistics: Statistics, component: Attributes) -> list[Observation]:
    unfit = Observation(statistics.dropped_encode_error, {**component, ERROR_TYPE: "encode_error"})
    return [*_exported(statistics, component), unfit]


def _component(kind: str) -> Attributes:
    return {OTEL_COMPONENT_TYPE: kind, OTEL_COMPONENT_NAME: f"{kind}/mita"}
