"""Where each signal goes: the exporters that `OTEL_TRACES_EXPORTER` and its kin name."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    NumberDataPoint,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from mita_otel.export import (
    MaskingEncoder,
    OtlpMetricExporter,
    OutboxLogRecordProcessor,
    OutboxSpanProcessor,
    Pace,
    Signal,
    open_sender,
)
from mita_otel.logs.redaction import redact_log_record
from mita_otel.masking import MaskingLogRecordExporter, MaskingSpanExporter
from mita_otel.metrics import prometheus, runtime
from mita_otel.settings import Settings
from mita_otel.traces.redaction import redact_span

if TYPE_CHECKING:
    from mita_otel.export.spool import Spool

Delivery: TypeAlias = OutboxSpanProcessor | OutboxLogRecordProcessor | OtlpMetricExporter
"""Delivers one signal by OTLP and counts what becomes of it."""

Closing: TypeAlias = Callable[[float], object]
"""Delivers what is left of one signal and stops; takes the seconds it may spend."""

_logger: Final = logging.getLogger("mita_otel.exporters")

_SELF_SCOPES: Final = (runtime.METER, "mita_otel.export", "opentelemetry.sdk", "opentelemetry-sdk")


class Exporters:
    """What a provider is given, and how each part is closed under a deadline in seconds."""

    __slots__ = ("closings", "deliveries", "endings", "logs", "readers", "spans")

    def __init__(self) -> None:
        self.spans: list[SpanProcessor] = []
        self.logs: list[LogRecordProcessor] = []
        self.readers: list[MetricReader] = []
        self.closings: list[tuple[str, Closing]] = []
        self.endings: list[Callable[[], object]] = []
        self.deliveries: list[Delivery] = []

    @property
    def log_outbox(self) -> OutboxLogRecordProcessor | None:
        """What takes log records that are ready to go, if OTLP is asked for."""
        return next((one for one in self.logs if isinstance(one, OutboxLogRecordProcessor)), None)

    def closed_after(self, written: Callable[[Closing | None], Closing]) -> list[tuple[str, Closing]]:
        """Return the closings; what carries log records is closed once they are written.

        Args:
            written: makes a closing that writes what was logged, and then closes what it is given, if anything.
        """
        named = [(name, written(close) if name.startswith("logs") else close) for name, close in self.closings]
        return named if self.logs else [*named, ("logs", written(None))]


def build(settings: Settings) -> Exporters:
    """Build every exporter that is asked for; `none` stands for nothing.

    Raises:
        ValueError: no exporter of that name is installed; the message names the variable.
    """
    made = Exporters()
    for name in _wanted(settings.traces_exporter):
        _add_spans(made, settings, name)
    for name in _wanted(settings.logs_exporter):
        _add_logs(made, settings, name)
    for name in _wanted(settings.metrics_exporter):
        _add_metrics(made, settings, name)
    return made


def _wanted(names: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name != "none"]


def _add_spans(made: Exporters, settings: Settings, name: str) -> None:
    # The SDK cuts one character later than we do, so that a cut value can be told from one that just fits.
    limit = max(1, settings.attribute_length_limit - 1)
    if name == "otlp":
        pace = Pace(
            capacity=settings.span_queue_size,
            batch_size=min(settings.span_batch_size, settings.span_queue_size),
            schedule_delay=settings.span_schedule_delay / 1000,
            attempt_timeout=settings.otlp["traces"].timeout,
        )
        sender = open_sender(settings.otlp["traces"], "traces")
        encoder, spool = MaskingEncoder(limit=limit), _spool(settings, "traces")
        outbox = OutboxSpanProcessor(sender, encoder=encoder, pace=pace, spool=spool)
        made.spans.append(outbox)
        made.deliveries.append(outbox)
        made.closings.append(("traces", outbox.close))
        return
    processor = BatchSpanProcessor(MaskingSpanExporter(_load("traces", name)(), partial(redact_span, limit=limit)))
    made.spans.append(processor)
    made.closings.append((f"traces-{name}", lambda _: processor.shutdown()))  # type: ignore[no-untyped-call] # the SDK's


def _add_logs(made: Exporters, settings: Settings, name: str) -> None:
    if name == "otlp":
        pace = Pace(
            capacity=settings.log_queue_size,
            batch_size=min(settings.log_batch_size, settings.log_queue_size),
            schedule_delay=settings.log_schedule_delay / 1000,
            attempt_timeout=settings.otlp["logs"].timeout,
        )
        sender, spool = open_sender(settings.otlp["logs"], "logs"), _spool(settings, "logs")
        outbox = OutboxLogRecordProcessor(sender, prepare=redact_log_record, pace=pace, spool=spool)
        made.logs.append(outbox)
        made.deliveries.append(outbox)
        made.closings.append(("logs", outbox.close))
        return
    processor = BatchLogRecordProcessor(MaskingLogRecordExporter(_load("logs", name)()))
    made.logs.append(processor)
    made.closings.append((f"logs-{name}", lambda _: processor.shutdown()))  # type: ignore[no-untyped-call] # the SDK's


def _spool(settings: Settings, signal: Signal) -> "Spool | None":
    folder = settings.spool_directory
    if folder is None:
        return None
    from mita_otel.export.spool import Spool  # noqa: PLC0415 - who has no folder for it starts without

    return Spool(folder / signal, settings.spool_limit)


def _add_metrics(made: Exporters, settings: Settings, name: str) -> None:
    if name == "prometheus":
        made.readers.append(prometheus.reader(settings.prometheus_host, settings.prometheus_port))
        return
    exporter: Any
    if name == "otlp":
        exporter = OtlpMetricExporter(
            open_sender(settings.otlp["metrics"], "metrics"),
            temporality=settings.metric_temporality,
            histogram=settings.histogram_aggregation,
            pace=Pace(attempt_timeout=settings.otlp["metrics"].timeout),
        )
        made.deliveries.append(exporter)
    else:
        exporter = _load("metrics", name)()
    if isinstance(exporter, MetricReader):
        made.readers.append(exporter)
        return
    last = LastWords(exporter)
    reader = PeriodicExportingMetricReader(last, export_interval_millis=settings.metric_export_interval)
    made.readers.append(reader)

    def close(timeout: float) -> None:
        for ending in made.endings:
            ending()
        last.begin(timeout)
        reader.shutdown(timeout_millis=timeout * 1000)

    made.closings.append((f"metrics-{name}", close))


def _load(signal: str, name: str) -> Callable[[], Any]:
    group = f"opentelemetry_{signal}_exporter"
    for entry_point in entry_points(group=group, name=name):
        loaded: Callable[[], Any] = entry_point.load()
        return loaded
    known = sorted({"none", *(entry_point.name for entry_point in entry_points(group=group))})
    raise ValueError(f"OTEL_{signal.upper()}_EXPORTER={name!r} is not allowed: it takes {', '.join(known)}")


class LastWords(MetricExporter):
    """Leaves out the last export of a process that measured nothing but itself.

    A program that only ran `pass` would otherwise wait for a Collector to tell it how much memory it used.
    """

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)  # noqa: SLF001 - the SDK's reader reads them so
        self._exporter = exporter
        self._closing: float | None = None
        self._spoke = False

    def begin(self, timeout: float) -> None:
        """Say that what comes next is the last export, and how many seconds it may take."""
        self._closing = timeout

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Pass a collection on, unless it is the only one and about the process itself."""
        if self._closing is not None:
            if not self._spoke and _is_about_itself(metrics_data):
                return MetricExportResult.SUCCESS
            timeout_millis = min(timeout_millis, self._closing * 1000)
        self._spoke = True
        return self._exporter.export(metrics_data, timeout_millis=timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Pass the request on."""
        return self._exporter.force_flush(timeout_millis=timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Pass the request on."""
        self._exporter.shutdown(timeout_millis=timeout_millis, **kwargs)


def _is_about_itself(metrics_data: MetricsData) -> bool:
    """Say that everything is about the process, or counts what never happened, as some counters do from the start."""
    return all(
        scope.scope.name.startswith(_SELF_SCOPES) or not any(_happened(metric) for metric in scope.metrics)
        for resource in metrics_data.resource_metrics
        for scope in resource.scope_metrics
    )


def _happened(metric: Metric) -> bool:
    return any(not isinstance(point, NumberDataPoint) or point.value != 0 for point in metric.data.data_points)
