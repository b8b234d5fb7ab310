"""Exporters of others, given what is masked: whatever leaves the process goes through the same policy."""

from collections.abc import Callable, Sequence

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from mita_otel.logs.redaction import redact_log_record


class MaskingSpanExporter(SpanExporter):
    """Masks spans in the exporting thread before it hands them on.

    Args:
        exporter: sends them.
        mask: returns a span without what is sensitive; never raises.
    """

    def __init__(self, exporter: SpanExporter, mask: Callable[[ReadableSpan], ReadableSpan]) -> None:
        self._exporter = exporter
        self._mask = mask

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Mask and pass on."""
        return self._exporter.export([self._mask(span) for span in spans])

    def shutdown(self) -> None:
        """Pass the request on."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Pass the request on."""
        return self._exporter.force_flush(timeout_millis)


class MaskingLogRecordExporter(LogRecordExporter):
    """Masks log records in the exporting thread before it hands them on.

    Args:
        exporter: sends them.
    """

    def __init__(self, exporter: LogRecordExporter) -> None:
        self._exporter = exporter

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Mask and pass on."""
        return self._exporter.export([redact_log_record(record) for record in batch])

    def shutdown(self) -> None:
        """Pass the request on."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call] # the SDK's

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Pass the request on."""
        return self._exporter.force_flush(timeout_millis)
