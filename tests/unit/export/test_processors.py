"""Spans, log records and metrics reach the sender as OTLP, prepared, and faults stay inside."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableUpDownCounter, UpDownCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from mita_otel.export import (
    Accepted,
    OtlpMetricExporter,
    OutboxLogRecordProcessor,
    OutboxSpanProcessor,
    Outcome,
    Refused,
    Retry,
)
from mita_otel.export.metrics import preferred_aggregation, preferred_temporality
from mita_otel.export.quiet import quietly
from tests.unit.export.conftest import QUICK

PACE = QUICK.replace(schedule_delay=60)


class Recorder:
    destination = "http://receiver.test"

    def __init__(self, *script: Outcome) -> None:
        self.script = list(script)
        self.payloads: list[bytes] = []
        self.closed = False

    def send(self, payload: bytes, timeout: float) -> Outcome:
        self.payloads.append(payload)
        return self.script.pop(0) if self.script else Accepted()

    def close(self) -> None:
        self.closed = True

    @property
    def span_names(self) -> list[str]:
        requests = [ExportTraceServiceRequest.FromString(payload) for payload in self.payloads]
        return [s.name for r in requests for b in r.resource_spans for c in b.scope_spans for s in c.spans]

    @property
    def bodies(self) -> list[str]:
        requests = [ExportLogsServiceRequest.FromString(payload) for payload in self.payloads]
        return [
            x.body.string_value for r in requests for b in r.resource_logs for c in b.scope_logs for x in c.log_records
        ]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def metric_reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    yield reader
    reader.shutdown()


def points_of(reader: InMemoryMetricReader) -> dict[tuple[str, str | None], Any]:
    data = reader.get_metrics_data()
    assert data is not None
    return {
        (metric.name, cast("str | None", (point.attributes or {}).get("error.type"))): point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


def test_sampled_spans_are_delivered(recorder: Recorder) -> None:
    processor = OutboxSpanProcessor(recorder, pace=PACE)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("t").start_span("sampled").end()
    assert provider.force_flush(5000)
    assert recorder.span_names == ["sampled"]
    provider.shutdown()
    assert recorder.closed


def test_spans_that_are_not_sampled_are_not(recorder: Recorder) -> None:
    processor = OutboxSpanProcessor(recorder, pace=PACE)
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("t").start_span("unsampled").end()
    assert processor.statistics().entered == 0
    provider.shutdown()


def test_a_span_that_cannot_be_prepared_does_not_leave(recorder: Recorder) -> None:
    def prepare(span: ReadableSpan) -> ReadableSpan:
        if span.name == "secret":
            raise RuntimeError("cannot be masked")
        return span

    processor = OutboxSpanProcessor(recorder, prepare=prepare, pace=PACE)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    for name in ("a", "secret", "b"):
        provider.get_tracer("t").start_span(name).end()
    assert not processor.force_flush(5000)
    assert recorder.span_names == ["a", "b"]
    assert processor.statistics().dropped_encode_error == 1
    provider.shutdown()


def test_a_span_with_text_that_is_no_text_costs_its_neighbours_nothing(recorder: Recorder) -> None:
    processor = OutboxSpanProcessor(recorder, pace=PACE)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    for name in ("a", "\ud800", "b"):
        provider.get_tracer("t").start_span(name).end()
    processor.force_flush(5000)
    assert recorder.span_names == ["a", "b"]
    provider.shutdown()


def test_a_fault_in_the_processor_does_not_reach_the_application(recorder: Recorder) -> None:
    processor = OutboxSpanProcessor(recorder, pace=PACE)
    processor.on_end(cast("ReadableSpan", object()))
    assert processor.statistics().dropped_encode_error == 1
    processor.close(0)


@pytest.fixture
def logs(recorder: Recorder) -> Iterator[tuple[LoggerProvider, OutboxLogRecordProcessor]]:
    processor = OutboxLogRecordProcessor(recorder, pace=PACE)
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    yield provider, processor
    provider.shutdown()


def emit(provider: LoggerProvider, body: str, scope: str = "app") -> None:
    provider.get_logger(scope).emit(LogRecord(body=body, severity_number=SeverityNumber.INFO))


def test_log_records_are_delivered(logs: tuple[LoggerProvider, OutboxLogRecordProcessor], recorder: Recorder) -> None:
    provider, processor = logs
    emit(provider, "hello")
    assert processor.force_flush(5000)
    assert recorder.bodies == ["hello"]


def test_records_that_delivery_causes_are_not_taken_but_its_summary_is(
    logs: tuple[LoggerProvider, OutboxLogRecordProcessor], recorder: Recorder
) -> None:
    provider, processor = logs
    with quietly():
        emit(provider, "connection opened", "some.http.client")
        emit(provider, "3 attempts failed", "mita_otel.export")
    processor.force_flush(5000)
    assert recorder.bodies == ["3 attempts failed"]


def test_records_are_prepared(recorder: Recorder) -> None:
    def prepare(record: ReadableLogRecord) -> ReadableLogRecord:
        record.log_record.body = "masked"
        return record

    processor = OutboxLogRecordProcessor(recorder, prepare=prepare, pace=PACE)
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    emit(provider, "secret")
    processor.force_flush(5000)
    provider.shutdown()
    assert recorder.bodies == ["masked"]


def test_a_fault_in_the_log_processor_does_not_reach_the_application(recorder: Recorder) -> None:
    processor = OutboxLogRecordProcessor(recorder, pace=PACE)
    processor.on_emit(cast("Any", object()))
    assert processor.statistics().dropped_encode_error == 1
    processor.close(0)


def test_counts_are_published_under_the_standard_names(metric_reader: InMemoryMetricReader) -> None:
    recorder = Recorder(Accepted(1, "too old"), Refused("HTTP 400"))
    processor = OutboxSpanProcessor(recorder, pace=PACE.replace(batch_size=3, capacity=50))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    meters = MeterProvider([metric_reader], shutdown_on_exit=False)
    processor.observe(meters)
    for _ in range(2):
        for _ in range(3):
            provider.get_tracer("t").start_span("s").end()
        processor.force_flush(5000)
    provider.shutdown()
    provider.get_tracer("t").start_span("late").end()
    points = points_of(metric_reader)
    values = {key: point.value for key, point in points.items() if hasattr(point, "value") and point.value}
    assert values == {
        ("otel.sdk.processor.span.queue.capacity", None): 50,
        ("otel.sdk.processor.span.processed", None): 6,
        ("otel.sdk.processor.span.processed", "already_shutdown"): 1,
        ("otel.sdk.exporter.span.exported", None): 2,
        ("otel.sdk.exporter.span.exported", "rejected"): 1,
        ("otel.sdk.exporter.span.exported", "refused"): 3,
    }
    assert points["otel.sdk.exporter.operation.duration", None].count == 1
    assert points["otel.sdk.exporter.operation.duration", "HTTP 400"].count == 1


def export_once(exporter: OtlpMetricExporter, timeout_millis: float = 2000) -> MetricExportResult:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("m").create_counter("c").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    provider.shutdown()
    return exporter.export(data, timeout_millis)


def test_counts_of_metric_data_points_are_published_under_the_standard_names(
    metric_reader: InMemoryMetricReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = OtlpMetricExporter(Recorder(Accepted(), Accepted(1, "too old"), Refused("HTTP 400")), pace=QUICK)
    meters = MeterProvider([metric_reader], shutdown_on_exit=False)
    exporter.observe(meters)
    for _ in range(3):
        export_once(exporter)
    with monkeypatch.context() as patched:
        patched.setattr("mita_otel.export.metrics.encode_metrics", lambda _: 1 / 0)
        export_once(exporter)
    points = points_of(metric_reader)
    counted = {key: point.value for key, point in points.items() if hasattr(point, "value")}
    assert counted == {
        ("otel.sdk.exporter.metric_data_point.exported", None): 1,
        ("otel.sdk.exporter.metric_data_point.exported", "rejected"): 1,
        ("otel.sdk.exporter.metric_data_point.exported", "refused"): 1,
        ("otel.sdk.exporter.metric_data_point.exported", "encode_error"): 1,
    }
    assert points["otel.sdk.exporter.operation.duration", None].count == 2
    assert points["otel.sdk.exporter.operation.duration", "HTTP 400"].count == 1


def test_metrics_are_tried_again_until_accepted() -> None:
    exporter = OtlpMetricExporter(Recorder(Retry("timeout"), Retry("HTTP 503", 0.01)), pace=QUICK)
    assert export_once(exporter) is MetricExportResult.SUCCESS
    assert (exporter.statistics().accepted, exporter.statistics().retries) == (1, 2)


def test_metrics_that_find_no_receiver_in_time_are_counted() -> None:
    exporter = OtlpMetricExporter(Recorder(*[Retry("timeout")] * 1000), pace=QUICK)
    assert export_once(exporter, 50) is MetricExportResult.FAILURE
    assert exporter.statistics().refused == 1


def test_refused_metrics_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    exporter = OtlpMetricExporter(Recorder(Refused("HTTP 400")), pace=QUICK)
    with caplog.at_level(logging.WARNING):
        assert export_once(exporter) is MetricExportResult.FAILURE
    assert "metrics: trouble since" in caplog.text
    assert exporter.statistics().refused == 1


def test_a_faulty_metric_does_not_reach_the_reader() -> None:
    exporter = OtlpMetricExporter(Recorder(), pace=QUICK)
    assert exporter.export(cast("Any", object()), 100) is MetricExportResult.FAILURE


def test_a_reader_takes_temporality_and_aggregation_from_the_exporter() -> None:
    recorder = Recorder()
    exporter = OtlpMetricExporter(recorder, temporality="DELTA", histogram="Base2_Exponential_Bucket_Histogram")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("m").create_histogram("h").record(1)
    provider.force_flush()
    provider.shutdown()
    assert recorder.closed
    assert len(recorder.payloads) == 1


def test_temporality_preferences_are_those_of_the_specification() -> None:
    delta = AggregationTemporality.DELTA
    assert delta not in preferred_temporality("cumulative").values()
    assert preferred_temporality("delta")[Counter] is delta
    assert preferred_temporality("delta")[UpDownCounter] is not delta
    assert preferred_temporality("delta")[ObservableUpDownCounter] is not delta
    assert preferred_temporality("LowMemory")[Histogram] is delta
    assert isinstance(
        preferred_aggregation("base2_exponential_bucket_histogram")[Histogram], ExponentialBucketHistogramAggregation
    )


@pytest.mark.parametrize("wrong", [{"temporality": "monthly"}, {"histogram": "round"}])
def test_wrong_preferences_are_errors_that_name_the_variable(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"OTEL_EXPORTER_OTLP_METRICS_.* is not allowed; allowed: "):
        OtlpMetricExporter(Recorder(), **wrong)
