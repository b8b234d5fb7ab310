"""Real SDK providers that keep everything in memory, and plain views of what they kept."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import Span, SpanKind

from mita_otel.libraries.model import Telemetry
from mita_otel.settings import Settings

Point = tuple[dict[str, Any], float]


class Recording:
    """Providers for instrumentations under test."""

    def __init__(self, sampler: Sampler | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        tracer_provider = TracerProvider(sampler=sampler or ParentBased(ALWAYS_ON), shutdown_on_exit=False)
        tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        meter_provider = MeterProvider(metric_readers=[self._reader], shutdown_on_exit=False)
        logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.telemetry = Telemetry(tracer_provider, meter_provider, logger_provider, Settings.read(environment or {}))
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider

    @contextmanager
    def request(self, name: str = "request") -> Iterator[Span]:
        """A SERVER span around a unit of work."""
        tracer = self._tracer_provider.get_tracer("test")
        with tracer.start_as_current_span(name, kind=SpanKind.SERVER) as span:
            yield span

    @property
    def finished(self) -> tuple[ReadableSpan, ...]:
        """Every span that ended, in the order of the ends."""
        return self._exporter.get_finished_spans()

    @property
    def calls(self) -> list[ReadableSpan]:
        """The CLIENT spans that ended."""
        return [span for span in self.finished if span.kind is SpanKind.CLIENT]

    @property
    def names(self) -> list[str]:
        """The names of the CLIENT spans."""
        return [span.name for span in self.calls]

    def tree(self) -> list[str]:
        """`parent > child` of every span that has a parent."""
        names = {span.context.span_id: span.name for span in self.finished if span.context}
        return [f"{names[span.parent.span_id]} > {span.name}" for span in self.finished if span.parent]

    def forget(self) -> None:
        """Drop the spans kept so far: those of a test's preparation."""
        self._exporter.clear()

    def points(self, metric_name: str) -> list[Point]:
        """Attributes and value (of a histogram: the count) of each series of a metric."""
        data = self._reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), point.count if isinstance(point, HistogramDataPoint) else point.value)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == metric_name
            for point in metric.data.data_points
            if not hasattr(point, "scale")
        ]

    def sum(self, metric_name: str) -> float:
        """Sum of a histogram's only series."""
        data = self._reader.get_metrics_data()
        assert data is not None
        [point] = [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == metric_name
            for point in metric.data.data_points
        ]
        assert isinstance(point, HistogramDataPoint)
        return point.sum

    def shutdown(self) -> None:
        """Stop the providers."""
        self._tracer_provider.shutdown()
        self._meter_provider.shutdown()
