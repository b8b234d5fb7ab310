"""Telemetry made for a test, sent by the SDK's own exporters."""

import secrets
import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tests.fixtures.console_file import AT, metrics

BATCH = 2000
MS = 1_000_000
"""Nanoseconds."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sender:
    """Makes spans and log records at chosen times, and sends them."""

    def __init__(self, url: str) -> None:
        self._spans = OTLPSpanExporter(f"{url}/v1/traces")
        self._logs = OTLPLogExporter(f"{url}/v1/logs")
        self._metrics = f"{url}/v1/metrics"

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans; a refusal is an error."""
        for first in range(0, len(spans), BATCH):
            assert self._spans.export(spans[first : first + BATCH]) is SpanExportResult.SUCCESS

    def measure(self, service: str, *given: Metric) -> None:
        """Send metrics that were made for tests of the console's file, as if AT were now."""
        later = time.time_ns() - AT * 1000
        request = metrics(service, *given)
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            for point in (*metric.gauge.data_points, *metric.sum.data_points):
                point.time_unix_nano += later
                point.start_time_unix_nano += later
                for exemplar in point.exemplars:
                    exemplar.time_unix_nano += later
        headers = {"content-type": "application/x-protobuf"}
        with _DIRECT.open(urllib.request.Request(self._metrics, request.SerializeToString(), headers), timeout=10):
            pass

    def log(
        self, service: str, body: str, severity: SeverityNumber = SeverityNumber.INFO, span: Span | None = None
    ) -> None:
        """Send one log record, of now, or of the middle of a span."""
        provider = LoggerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        provider.get_logger("tests").emit(
            LogRecord(
                timestamp=time.time_ns() if span is None else middle_of(span),
                context=None if span is None else trace.set_span_in_context(span),
                severity_number=severity,
                severity_text=severity.name,
                body=body,
                attributes={"code.function.name": "told"},
            )
        )


class Trace:
    """A trace under construction; times are in ms after its begin.

    Attributes:
        spans: those that have ended.
    """

    def __init__(self, *, seconds_ago: float = 5) -> None:
        self._start = time.time_ns() - int(seconds_ago * 1e9)
        self._providers: dict[str, TracerProvider] = {}
        self.spans: list[Span] = []

    @property
    def id(self) -> str:
        return f"{self.spans[0].context.trace_id:032x}"

    def span(
        self,
        service: str,
        name: str,
        start: float,
        end: float,
        parent: Span | SpanContext | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        error: str | None = None,
        links: Sequence[SpanContext] = (),
        event: str | None = None,
    ) -> Span:
        """Add a span."""
        context = trace.set_span_in_context(
            parent if isinstance(parent, Span) else trace.NonRecordingSpan(parent or trace.INVALID_SPAN_CONTEXT)
        )
        span = self._tracer(service).start_span(
            name, context, kind, attributes, [Link(link) for link in links], self._start + int(start * MS)
        )
        assert isinstance(span, Span)
        if event:
            span.add_event(event, {"detail": "of the event"}, self._start + int((start + end) / 2 * MS))
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(self._start + int(end * MS))
        self.spans.append(span)
        return span

    def _tracer(self, service: str) -> trace.Tracer:
        if service not in self._providers:
            resource = Resource({"service.name": service, "service.version": "1.0.0"})
            self._providers[service] = TracerProvider(resource=resource, shutdown_on_exit=False)
        return self._providers[service].get_tracer("tests")


def middle_of(span: ReadableSpan) -> int:
    """Return the time in the middle of a span, in ns."""
    return ((span.start_time or 0) + (span.end_time or 0)) // 2


def elsewhere() -> SpanContext:
    """Return the context of a span that nobody sends, in a trace of its own."""
    return SpanContext(secrets.randbits(128), secrets.randbits(64), is_remote=True, trace_flags=TraceFlags(1))


def sibling_of(span: Span) -> SpanContext:
    """Return the context of a span that nobody sends, in the trace of a span."""
    return SpanContext(span.context.trace_id, secrets.randbits(64), is_remote=True, trace_flags=TraceFlags(1))
