"""Turns entries into OTLP log records, one OpenTelemetry logger for each Python logger."""

import time
from collections.abc import Sequence
from functools import lru_cache
from logging import LogRecord
from typing import Any, Final

from opentelemetry import trace
from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry._logs import LogRecord as OtelLogRecord
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context, get_current, get_value
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits, LogRecordProcessor
from opentelemetry.sdk.resources import Resource

from mita_otel.logs import fields
from mita_otel.logs.request import span_of
from mita_otel.settings import Settings

MAX_LOGGERS: Final = 1_024
"""OpenTelemetry loggers made; records of further Python loggers share one, and name their logger in an attribute."""
SHARED: Final = "mita_otel.logs"
LOGGER_NAME: Final = "log.logger"

_EXPORTING: Final = ("mita_otel.export", "opentelemetry.exporter", "opentelemetry.sdk")
"""Loggers that speak about the export itself: exporting their records would feed them again."""
_TRANSPORT: Final = ("urllib3", "requests", "grpc", "http", "httpx", "httpcore", "opentelemetry", "charset_normalizer")
"""Loggers that also speak while an export is under way, when instrumentation is suppressed."""

_SEVERITY_TEXT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def provider(
    settings: Settings, resource: Resource, meter_provider: MeterProvider, processors: Sequence[LogRecordProcessor]
) -> LoggerProvider:
    """Return a provider whose log records go to every one of `processors`.

    Values may be as long as a body: a stack trace is an attribute.
    """
    longest = max(settings.log_body_limit, settings.attribute_length_limit)
    built = LoggerProvider(
        resource=resource,
        shutdown_on_exit=False,
        meter_provider=meter_provider,
        log_record_limits=LogRecordLimits(max_log_record_attribute_length=longest),
    )
    for processor in processors:
        built.add_log_record_processor(processor)
    return built


def severity(level: int) -> SeverityNumber:
    """Return the OpenTelemetry severity of a level of `logging`; 1 to 9 is TRACE, 10 to 19 DEBUG and so on.

    Source: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    """
    if level <= 0:
        return SeverityNumber.UNSPECIFIED
    step = min(level // 10, 5)
    finer = min(level % 10, 3) if level < 60 else 3  # noqa: PLR2004 - FATAL begins at 50 and ends at 59
    return SeverityNumber(1 + 4 * step + finer)


@lru_cache(maxsize=4096)
def _matches(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


def feeds_back(name: str) -> bool:
    """Say whether a logger's record is about an export, so that exporting it would make more of them."""
    if _matches(name, _EXPORTING):
        return True
    return bool(get_value(_SUPPRESS_INSTRUMENTATION_KEY)) and _matches(name, _TRANSPORT)


class Otlp:
    """A sink: one OTLP log record for one entry."""

    __slots__ = ("_loggers", "_provider")

    def __init__(self, logger_provider: LoggerProvider) -> None:
        self._provider = logger_provider
        self._loggers: dict[str, Logger] = {}

    def __call__(self, record: LogRecord, entry: dict[str, Any]) -> None:
        """Emit one entry, unless it is about an export."""
        if feeds_back(record.name):
            return
        logger, shared = self._logger(record.name)
        attributes = attributes_of(entry)
        if shared:
            attributes[LOGGER_NAME] = record.name
        logger.emit(
            OtelLogRecord(
                timestamp=int(record.created * 1_000_000) * 1_000,
                observed_timestamp=time.time_ns(),
                context=_context(record),
                severity_number=severity(record.levelno),
                severity_text=_SEVERITY_TEXT.get(record.levelname, record.levelname),
                body=entry.get(fields.MESSAGE, ""),
                attributes=attributes,
            )
        )

    def _logger(self, name: str) -> tuple[Logger, bool]:
        logger = self._loggers.get(name)
        if logger is not None:
            return logger, name == SHARED
        if len(self._loggers) >= MAX_LOGGERS:
            return self._loggers.setdefault(SHARED, self._provider.get_logger(SHARED)), True
        return self._loggers.setdefault(name, self._provider.get_logger(name)), False


def attributes_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an entry under their semantic-convention names, extras as they are."""
    attributes: dict[str, Any] = dict(entry.get(fields.EXTRA, {}))
    for key, name in fields.OTLP_CODE.items():
        if entry.get(key) is not None:
            attributes[name] = entry[key]
    for key in fields.OTLP_SAME:
        if entry.get(key) is not None:
            attributes[key] = entry[key]
    for key, value in entry.get(fields.EXCEPTION, {}).items():
        attributes[fields.OTLP_EXCEPTION[key]] = value
    return attributes


def _context(record: LogRecord) -> Context:
    span = span_of(record)
    context = get_current()
    if trace.get_current_span(context).get_span_context() == span:
        return context
    return trace.set_span_in_context(trace.NonRecordingSpan(span), context)
