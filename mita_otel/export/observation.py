"""What was counted of a delivery, as the standard metrics about the SDK itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
from opentelemetry.semconv._incubating.attributes.otel_attributes import OTEL_COMPONENT_NAME, OTEL_COMPONENT_TYPE
from opentelemetry.semconv._incubating.metrics import otel_metrics
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

from mita_otel.export.outbox import Outbox
from mita_otel.export.statistics import Statistics

Attributes: TypeAlias = Mapping[str, str]
Durations: TypeAlias = Callable[[float, str | None], None]
"""Takes the seconds of an export operation, and its error or None."""

_METER: Final = "mita_otel.export"
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "span": {
        "size": otel_metrics.OTEL_SDK_PROCESSOR_SPAN_QUEUE_SIZE,
        "capacity": otel_metrics.OTEL_SDK_PROCESSOR_SPAN_QUEUE_CAPACITY,
        "processed": otel_metrics.OTEL_SDK_PROCESSOR_SPAN_PROCESSED,
        "exported": otel_metrics.OTEL_SDK_EXPORTER_SPAN_EXPORTED,
    },
    "log": {
        "size": otel_metrics.OTEL_SDK_PROCESSOR_LOG_QUEUE_SIZE,
        "capacity": otel_metrics.OTEL_SDK_PROCESSOR_LOG_QUEUE_CAPACITY,
        "processed": otel_metrics.OTEL_SDK_PROCESSOR_LOG_PROCESSED,
        "exported": otel_metrics.OTEL_SDK_EXPORTER_LOG_EXPORTED,
    },
}
_UNIT: Final = {"span": "{span}", "log": "{log_record}"}


def observe(outbox: Outbox[Any], kind: Literal["span", "log"], meter_provider: MeterProvider) -> None:
    """Register queue size and capacity, items processed and exported, and the duration of exports.

    Failures carry `error.type`: `queue_full`, `already_shutdown` and `encode_error` on the processor's counter;
    `rejected` (partial success) and `refused` on the exporter's.
    """
    meter = meter_provider.get_meter(_METER)
    names, unit = _NAMES[kind], _UNIT[kind]
    processor, exporter = _component(f"batching_{kind}_processor"), _component(f"otlp_{kind}_exporter")
    meter.create_observable_up_down_counter(
        names["size"],
        _callback(lambda: [Observation(outbox.statistics().queued, processor)]),
        unit,
        "Items waiting or on their way.",
    )
    meter.create_observable_up_down_counter(
        names["capacity"],
        _callback(lambda: [Observation(outbox.pace.capacity, processor)]),
        unit,
        "Most items the queue can hold.",
    )
    meter.create_observable_counter(
        names["processed"],
        _callback(lambda: _processed(outbox.statistics(), processor)),
        unit,
        "Items that left the queue, with error.type those that were dropped.",
    )
    meter.create_observable_counter(
        names["exported"],
        _callback(lambda: _exported(outbox.statistics(), exporter)),
        unit,
        "Items whose export has finished, with error.type those that failed.",
    )
    outbox.observe_duration = _durations(meter, exporter)


def observe_points(statistics: Callable[[], Statistics], meter_provider: MeterProvider) -> Durations:
    """Register the metric data points exported, and return what takes the duration of an export.

    Failures carry `error.type`: `rejected` (partial success), `refused` (by the receiver, or given up when the time for
    the collection was over) and `encode_error`.
    """
    meter = meter_provider.get_meter(_METER)
    exporter = _component("otlp_metric_exporter")
    meter.create_observable_counter(
        otel_metrics.OTEL_SDK_EXPORTER_METRIC_DATA_POINT_EXPORTED,
        _callback(lambda: _exported_points(statistics(), exporter)),
        "{data_point}",
        "Metric data points whose export has finished, with error.type those that failed.",
    )
    return _durations(meter, exporter)


def _durations(meter: Meter, exporter: Attributes) -> Durations:
    duration = otel_metrics.create_otel_sdk_exporter_operation_duration(meter)
    return lambda seconds, error: duration.record(
        seconds, exporter if error is None else {**exporter, ERROR_TYPE: error}
    )


def _callback(read: Callable[[], Iterable[Observation]]) -> list[Callable[[CallbackOptions], Iterable[Observation]]]:
    return [lambda _options: read()]


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
