"""What the project's exporters and the stock ones send is all there, over both protocols."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from mita_otel.export import (
    OtlpMetricExporter,
    OutboxLogRecordProcessor,
    OutboxSpanProcessor,
    open_sender,
    otlp_endpoint,
)
from tests.integration.console.conftest import Console

SPANS = 3000
RECORDS = 500
RESOURCE = Resource({"service.name": "shop", "service.version": "1"})


class Sent:
    """Providers of all three signals that deliver to a console, and what to close."""

    def __init__(self, spans: Any, records: Any, exporter: Any) -> None:
        self.tracing = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        self.tracing.add_span_processor(spans)
        self.logging = LoggerProvider(RESOURCE, shutdown_on_exit=False)
        self.logging.add_log_record_processor(records)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        self.metering = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)

    def send(self) -> None:
        """Make spans, log records and data points, and deliver all of them."""
        tracer = self.tracing.get_tracer("test")
        for number in range(SPANS):
            with tracer.start_as_current_span(f"op{number % 7}", kind=trace.SpanKind.SERVER) as span:
                span.set_attribute("number", number)
        logger = self.logging.get_logger("test")
        for number in range(RECORDS):
            logger.emit(LogRecord(body=f"order {number} failed", severity_number=SeverityNumber.WARN))
        meter = self.metering.get_meter("test")
        meter.create_counter("orders").add(5, {"currency": "EUR"})
        meter.create_histogram("duration").record(0.3)
        for provider in (self.tracing, self.logging, self.metering):
            provider.shutdown()


def ours(console: Console, protocol: str) -> Sent:
    address = console.grpc if protocol == "grpc" else console.http
    environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": address}

    def sender(signal: Any) -> Any:
        return open_sender(otlp_endpoint(environment, signal), signal)

    return Sent(
        OutboxSpanProcessor(sender("traces")),
        OutboxLogRecordProcessor(sender("logs")),
        OtlpMetricExporter(sender("metrics")),
    )


def stock(console: Console, protocol: str) -> Sent:
    if protocol == "grpc":
        spans: Any = GrpcSpanExporter(console.grpc, insecure=True)
        records: Any = GrpcLogExporter(console.grpc, insecure=True)
        exporter: Any = GrpcMetricExporter(console.grpc, insecure=True)
    else:
        spans = HttpSpanExporter(f"{console.http}/v1/traces", compression=Compression.Gzip)
        records = HttpLogExporter(f"{console.http}/v1/logs")
        exporter = HttpMetricExporter(f"{console.http}/v1/metrics", compression=Compression.Gzip)
    return Sent(
        BatchSpanProcessor(spans, max_queue_size=SPANS, max_export_batch_size=512),
        BatchLogRecordProcessor(records),
        exporter,
    )


@pytest.fixture(params=[ours, stock])
def exporters(request: pytest.FixtureRequest) -> Callable[[Console, str], Sent]:
    made: Callable[[Console, str], Sent] = request.param
    return made


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_everything_that_is_sent_is_stored(
    console: Console, exporters: Callable[[Console, str], Sent], protocol: str
) -> None:
    exporters(console, protocol).send()
    assert console.count("spans") == SPANS
    numbers = {
        pair.value.int_value
        for body in console.rows("SELECT body FROM span_bodies")
        for pair in Span.FromString(body).attributes
    }
    assert numbers == set(range(SPANS))
    assert console.count("records") == RECORDS
    assert console.rows("SELECT service FROM resources") == ["shop"]
    assert console.rows("SELECT kind FROM instruments WHERE name IN ('orders', 'duration') ORDER BY name") == [
        "histogram", "sum",
    ]  # fmt: skip
    assert console.rows("SELECT value FROM points JOIN series ON series.id = series JOIN instruments ON instruments.id"
                        " = instrument WHERE name = 'orders'") == [5.0]  # fmt: skip
