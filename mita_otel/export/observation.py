"""An outbox's counters as the standard metrics about the SDK itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.semconv._incubating.attributes.otel_attributes import OTEL_COMPONENT_NAME, OTEL_COMPONENT_TYPE
from opentelemetry.semconv._incubating.metrics import otel_metrics
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE

from mita_otel.export.outbox import Outbox
from mita_otel.export.statistics import Statistics

Attributes: TypeAlias = Mapping[str, str]

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
    meter = meter_provider.get_meter("mita_otel.export")
    names, unit = _NAMES[kind], _UNIT[kind]
    processor, exporter = _component(f"batching_{kind}_processor"), _component(f"otlp_{kind}_exporter")

    def callback(read: Callable[[], Iterable[Observation]]) -> list[Callable[[CallbackOptions], Iterable[Observation]]]:
        return [lambda _options: read()]

    meter.create_observable_up_down_counter(
        names["size"],
        callback(lambda: [Observation(outbox.statistics().queued, processor)]),
        unit,
        "Items waiting or on their way.",
    )
    meter.create_observable_up_down_counter(
        names["capacity"],
        callback(lambda: [Observation(outbox.pace.capacity, processor)]),
        unit,
        "Most items the queue can hold.",
    )
    meter.create_observable_counter(
        names["processed"],
        callback(lambda: _processed(outbox.statistics(), processor)),
        unit,
        "Items that left the queue, with error.type those that were dropped.",
    )
    meter.create_observable_counter(
        names["exported"],
        callback(lambda: _exported(outbox.statistics(), exporter)),
        unit,
        "Items whose export has finished, with error.type those that failed.",
    )
    duration = otel_metrics.create_otel_sdk_exporter_operation_duration(meter)
    outbox.observe_duration = lambda seconds, error: duration.record(
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


def _component(kind: str) -> Attributes:
    return {OTEL_COMPONENT_TYPE: kind, OTEL_COMPONENT_NAME: f"{kind}/mita"}
