"""Telemetry about telemetry."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DELIVERIES
from mita_otel.metrics.instrument import OURS, Counter, Histogram, UpDownCounter, bounded, closed

_SDK: Final = "https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/"

_SPAN_PROCESSOR: Final = (
    closed("otel.component.type", "batching_span_processor"),
    closed("otel.component.name", "batching_span_processor/mita"),
)
_LOG_PROCESSOR: Final = (
    closed("otel.component.type", "batching_log_processor"),
    closed("otel.component.name", "batching_log_processor/mita"),
)
_DROPPED: Final = closed("error.type", "queue_full", "encode_error", "already_shutdown")
_FAILED: Final = closed("error.type", "rejected", "refused")

PROCESSOR_SPAN_QUEUE_SIZE: Final = UpDownCounter(
    name="otel.sdk.processor.span.queue.size",
    unit="{span}",
    description="Items waiting or on their way.",
    source=_SDK,
    attributes=_SPAN_PROCESSOR,
)
PROCESSOR_SPAN_QUEUE_CAPACITY: Final = UpDownCounter(
    name="otel.sdk.processor.span.queue.capacity",
    unit="{span}",
    description="Most items the queue can hold.",
    source=_SDK,
    attributes=_SPAN_PROCESSOR,
)
PROCESSOR_SPAN_PROCESSED: Final = Counter(
    name="otel.sdk.processor.span.processed",
    unit="{span}",
    description="Items that left the queue, with error.type those that were dropped.",
    source=_SDK,
    attributes=(*_SPAN_PROCESSOR, _DROPPED),
)
EXPORTER_SPAN_EXPORTED: Final = Counter(
    name="otel.sdk.exporter.span.exported",
    unit="{span}",
    description="Items whose export has finished, with error.type those that failed.",
    source=_SDK,
    attributes=(
        closed("otel.component.type", "otlp_span_exporter"),
        closed("otel.component.name", "otlp_span_exporter/mita"),
        _FAILED,
    ),
)
PROCESSOR_LOG_QUEUE_SIZE: Final = UpDownCounter(
    name="otel.sdk.processor.log.queue.size",
    unit="{log_record}",
    description="Items waiting or on their way.",
    source=_SDK,
    attributes=_LOG_PROCESSOR,
)
PROCESSOR_LOG_QUEUE_CAPACITY: Final = UpDownCounter(
    name="otel.sdk.processor.log.queue.capacity",
    unit="{log_record}",
    description="Most items the queue can hold.",
    source=_SDK,
    attributes=_LOG_PROCESSOR,
)
PROCESSOR_LOG_PROCESSED: Final = Counter(
    name="otel.sdk.processor.log.processed",
    unit="{log_record}",
    description="Items that left the queue, with error.type those that were dropped.",
    source=_SDK,
    attributes=(*_LOG_PROCESSOR, _DROPPED),
)
EXPORTER_LOG_EXPORTED: Final = Counter(
    name="otel.sdk.exporter.log.exported",
    unit="{log_record}",
    description="Items whose export has finished, with error.type those that failed.",
    source=_SDK,
    attributes=(
        closed("otel.component.type", "otlp_log_exporter"),
        closed("otel.component.name", "otlp_log_exporter/mita"),
        _FAILED,
    ),
)
EXPORTER_METRIC_DATA_POINT_EXPORTED: Final = Counter(
    name="otel.sdk.exporter.metric_data_point.exported",
    unit="{data_point}",
    description="Metric data points whose export has finished, with error.type those that failed.",
    source=_SDK,
    attributes=(
        closed("otel.component.type", "otlp_metric_exporter"),
        closed("otel.component.name", "otlp_metric_exporter/mita"),
        closed("error.type", "rejected", "refused", "encode_error"),
    ),
)
EXPORTER_OPERATION_DURATION: Final = Histogram(
    name="otel.sdk.exporter.operation.duration",
    unit="s",
    description="The duration of exporting a batch of telemetry records.",
    source=_SDK,
    attributes=(
        closed("otel.component.type", "otlp_span_exporter", "otlp_log_exporter", "otlp_metric_exporter"),
        closed("otel.component.name", "otlp_span_exporter/mita", "otlp_log_exporter/mita", "otlp_metric_exporter/mita"),
        bounded("error.type", "kinds of failure, such as HTTP 400, gRPC UNAVAILABLE, timeout"),
    ),
    buckets=DELIVERIES,
)
SPAN_STARTED: Final = Counter(
    name="otel.sdk.span.started",
    unit="{span}",
    description="Spans created.",
    source=_SDK,
    attributes=(
        closed("otel.span.parent.origin", "none", "local", "remote"),
        closed("otel.span.sampling_result", "DROP", "RECORD_ONLY", "RECORD_AND_SAMPLE"),
    ),
)
SPAN_LIVE: Final = UpDownCounter(
    name="otel.sdk.span.live",
    unit="{span}",
    description="Spans that have not ended yet.",
    source=_SDK,
    attributes=(closed("otel.span.sampling_result", "RECORD_ONLY", "RECORD_AND_SAMPLE"),),
)
LOG_CREATED: Final = Counter(
    name="otel.sdk.log.created",
    unit="{log_record}",
    description="Log records created.",
    source=_SDK,
    made_by="OpenTelemetry SDK",
)
METRIC_READER_COLLECTION_DURATION: Final = Histogram(
    name="otel.sdk.metric_reader.collection.duration",
    unit="s",
    description="Duration of a collection of the metrics.",
    source=_SDK,
    attributes=(
        closed("otel.component.type", "periodic_metric_reader"),
        bounded("otel.component.name", "the process's metric readers"),
    ),
    buckets=DELIVERIES,
    made_by="OpenTelemetry SDK",
)
METRIC_OVERFLOW_MEASUREMENTS: Final = Counter(
    name="mita.metric.overflow.measurements",
    unit="{measurement}",
    description="Measurements that a full instrument filed under otel.metric.overflow.",
    source=OURS,
    attributes=(bounded("mita.instrument.name", "the instruments"),),
)
METRIC_CALLBACK_TIMEOUTS: Final = Counter(
    name="mita.metric.callback.timeouts",
    unit="{timeout}",
    description="Collections in which an instrument was left out because its callback had not returned.",
    source=OURS,
    attributes=(bounded("mita.instrument.name", "the observable instruments"),),
)
TELEMETRY_FAULTS: Final = Counter(
    name="mita.telemetry.faults",
    unit="{fault}",
    description="Faults of the instrumentation that were kept from the application.",
    source=OURS,
    attributes=(closed("mita.library", "fastapi", "sqlalchemy", "asyncpg", "redis", "httpx", "uvicorn", "logging"),),
)
SENTRY_LOST: Final = Counter(
    name="mita.sentry.reports.lost",
    unit="{report}",
    description="Reports to Sentry that could not be delivered.",
    source=OURS,
    attributes=(closed("error.type", "queue_full", "network", "refused", "failed"),),
)
LOG_LOST: Final = Counter(
    name="mita.log.lost",
    unit="{log_record}",
    description="Log records that did not reach a destination of this process; without the queue they reach none.",
    source=OURS,
    attributes=(
        closed(
            "mita.log.destination",
            *("queue", "stdout", "mita.log", "mita.json.log", "security.log", "audit.log"),
            *("performance.log", "errors.log"),
        ),
        closed("error.type", "queue_full", "write_failed", "stalled", "locked"),
        closed("mita.log.stream", "application", "security", "audit", "performance"),
    ),
)
