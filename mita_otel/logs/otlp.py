"""Log records over OTLP: which ones, and by the SDK's own way where somebody else wants to see them."""

import time
from collections.abc import Sequence
from contextvars import copy_context
from functools import lru_cache
from logging import LogRecord
from typing import Any, Final, Literal, cast

from opentelemetry import trace
from opentelemetry._logs import LogRecord as OtelLogRecord
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_current, get_value
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import Logger, LoggerProvider, LogRecordLimits, LogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanContext

from mita_otel.export import OutboxLogRecordProcessor
from mita_otel.logs import fields
from mita_otel.logs.captured import Captured
from mita_otel.logs.direct import OWN_ATTRIBUTES, Direct
from mita_otel.logs.severity import severity, severity_text
from mita_otel.logs.writing import Finished
from mita_otel.settings import Settings

MAX_LOGGERS: Final = 1_024
"""OpenTelemetry loggers made; records of further Python loggers share one, and name their logger in an attribute."""
SHARED: Final = "mita_otel.logs"
LOGGER_NAME: Final = "log.logger"

_EXPORTING: Final = ("mita_otel.export", "opentelemetry.exporter", "opentelemetry.sdk")
"""Loggers that speak about the export itself: exporting their records would feed them again."""
_TRANSPORT: Final = ("urllib3", "requests", "grpc", "http", "httpx", "httpcore", "opentelemetry", "charset_normalizer")
"""Loggers that also speak while an export is under way, when instrumentation is suppressed."""


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


@lru_cache(maxsize=4096)
def _matches(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


def feeds_back(name: str) -> bool:
    """Say whether a logger's record is about an export, so that exporting it would make more of them."""
    if _matches(name, _EXPORTING):
        return True
    return _matches(name, _TRANSPORT) and bool(get_value(_SUPPRESS_INSTRUMENTATION_KEY))


class Otlp:
    """A sink: one OTLP log record for one record.

    By its own hands while the outbox is the only processor: the record is encoded at once, and neither the SDK's nor
    protobuf's objects are made. As soon as another processor is added, records go to the SDK's logger, in the context
    of the call that logged.

    Args:
        logger_provider: knows the processors, the resource and the limits.
        outbox: the processor that takes encoded records; None sends everything by the SDK's logger.
    """

    __slots__ = ("_direct", "_loggers", "_outbox", "_provider")

    def __init__(self, logger_provider: LoggerProvider, outbox: OutboxLogRecordProcessor | None = None) -> None:
        self._provider = logger_provider
        self._loggers: dict[str, Logger] = {}
        self._outbox = outbox
        self._direct = None if outbox is None else Direct(logger_provider, outbox)

    @property
    def path(self) -> Literal["direct", "sdk"]:
        """How records go."""
        return "direct" if self._is_direct() else "sdk"

    def _is_direct(self) -> bool:
        # The SDK keeps its processors in a tuple of its own, whoever adds one.
        processors = self._provider._multi_log_record_processor._log_record_processors  # noqa: SLF001 - no public way; the SDK is pinned
        return self._outbox is not None and len(processors) == 1 and processors[0] is self._outbox

    def bind(self, record: LogRecord, captured: Captured) -> None:
        """Decide, in the context of the call, whether the record goes out."""
        if feeds_back(record.name):
            return
        captured.is_exported = True
        if not self._is_direct():
            captured.context = copy_context()

    def __call__(self, finished: Finished) -> None:
        """Send one record, unless it is about an export."""
        captured = finished.captured
        if not captured.is_exported:
            return
        logger = self._logger(captured.name)
        if captured.context is not None:
            captured.context.run(self._emit, logger, captured, finished.entry)
            return
        surplus = self._surplus(finished.entry)
        if self._direct is None or surplus is None or captured.name not in self._loggers:
            self._emit(logger, captured, finished.entry)
        elif logger._is_enabled():  # noqa: SLF001 - what the SDK asks before it makes a record
            self._direct(logger, captured, finished.entry, surplus)

    def flush(self) -> None:
        """Count what went past the SDK's logger, as that would have."""
        if self._direct is not None:
            self._direct.flush()

    def _surplus(self, entry: dict[str, Any]) -> int | None:
        """Return how many extras there are too many, the oldest first; None if even without any there are too many."""
        limit = self._provider._log_record_limits.max_log_record_attributes  # noqa: SLF001 - no public way; the SDK is pinned
        extras = len(entry.get(fields.EXTRA, ()))
        if limit is None or extras + OWN_ATTRIBUTES <= limit:
            return 0
        surplus = max(0, len(attributes_of(entry)) - limit)
        return surplus if surplus <= extras else None

    def _emit(self, logger: Logger, captured: Captured, entry: dict[str, Any]) -> None:
        attributes = attributes_of(entry)
        if captured.name not in self._loggers:
            attributes[LOGGER_NAME] = captured.name
        logger.emit(
            OtelLogRecord(
                timestamp=int(captured.created * 1_000_000) * 1_000,
                observed_timestamp=time.time_ns(),
                context=_context(captured.span),
                severity_number=severity(captured.levelno),
                severity_text=severity_text(captured.levelname),
                body=entry.get(fields.MESSAGE, ""),
                attributes=attributes,
            )
        )

    def _logger(self, name: str) -> Logger:
        logger = self._loggers.get(name)
        if logger is None:
            if len(self._loggers) >= MAX_LOGGERS:
                name = SHARED
            logger = self._loggers[name] = cast("Logger", self._provider.get_logger(name))
        return logger


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


def _context(span: SpanContext) -> Any:
    context = get_current()
    if trace.get_current_span(context).get_span_context() == span:
        return context
    return trace.set_span_in_context(trace.NonRecordingSpan(span), context)
