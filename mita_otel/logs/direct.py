"""Entries straight into OTLP's wire format; what comes again with each record of a call is encoded once."""

import time
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from opentelemetry.sdk._logs import Logger, LoggerProvider

from mita_otel.export import OutboxLogRecordProcessor
from mita_otel.export import log_record as wire
from mita_otel.export.wire import any_value, attributes
from mita_otel.logs import fields
from mita_otel.logs.captured import Captured
from mita_otel.logs.severity import severity, severity_text

OWN_ATTRIBUTES: Final = 16
"""Most attributes of a record that are ours; what `extra=` brings comes on top."""

_CALLS: Final = 4_096
_SAME_NAME: Final = (fields.NOTE, fields.STACK)
_RARE: Final = frozenset({*_SAME_NAME, fields.EXCEPTION})


class Direct:
    """Encodes entries and puts them into the outbox; the record of the SDK's way, without its objects.

    Args:
        logger_provider: knows the resource, which changes after a fork.
        outbox: takes the records.
    """

    __slots__ = ("_created", "_outbox", "_provider")

    def __init__(self, logger_provider: LoggerProvider, outbox: OutboxLogRecordProcessor) -> None:
        self._provider = logger_provider
        self._outbox = outbox
        self._created = 0

    def __call__(self, logger: Logger, captured: Captured, entry: dict[str, Any], surplus: int = 0) -> None:
        """Send one entry by the scope of a logger, without so many of its first extras."""
        span = captured.span
        record = wire.record(
            wire.times(int(max(captured.created, 0) * 1_000_000) * 1_000, time.time_ns()),
            _severity(captured.levelno, entry[fields.LEVEL]),
            wire.body(any_value(entry.get(fields.MESSAGE, ""))),
            _own(entry, surplus),
            _call(entry[fields.FILE], entry[fields.FUNCTION], entry[fields.LINE]),
            _maker(entry[fields.THREAD_NAME], entry[fields.THREAD_ID]),
            _stream(entry.get(fields.STREAM)),
            _request(entry.get(fields.CORRELATION_ID)),
            _span(span.trace_id, span.span_id, span.trace_flags) if span.is_valid else b"",
        )
        self._outbox.put(self._provider.resource, logger.instrumentation_scope, record)
        self._created += 1

    def flush(self) -> None:
        """Count the records among those that the SDK counts, many at once."""
        if self._created:
            counter = getattr(self._provider._logger_metrics, "_created_logs", None)  # noqa: SLF001 - no public way; the SDK is pinned
            if counter is not None:
                counter.add(self._created)
            self._created = 0


def _own(entry: dict[str, Any], surplus: int) -> bytes:
    """Encode what is different each time: extras, exception, note and stack."""
    given = entry.get(fields.EXTRA)
    if given and surplus:
        given = dict(islice(given.items(), surplus, None))
    if not _RARE.isdisjoint(entry):
        given = dict(given or {})
        given.update((key, entry[key]) for key in _SAME_NAME if key in entry)
        given.update((fields.OTLP_EXCEPTION[key], value) for key, value in entry.get(fields.EXCEPTION, {}).items())
    if not given and not surplus:
        return b""
    encoded, lost = attributes(wire.ATTRIBUTE, (given or {}).items())
    return b"".join(encoded) + (wire.dropped(lost + surplus) if lost or surplus else b"")


def _encoded(*items: tuple[str, Any]) -> bytes:
    return b"".join(attributes(wire.ATTRIBUTE, ((key, value) for key, value in items if value is not None))[0])


@lru_cache(maxsize=_CALLS)
def _call(file: str, function: str | None, line: int) -> bytes:
    names = fields.OTLP_CODE
    return _encoded((names[fields.FILE], file), (names[fields.FUNCTION], function), (names[fields.LINE], line))


@lru_cache(maxsize=256)
def _request(correlation_id: str | None) -> bytes:
    return _encoded((fields.CORRELATION_ID, correlation_id))


_span: Final = lru_cache(maxsize=256)(wire.trace)


@lru_cache(maxsize=256)
def _maker(name: str | None, number: int | None) -> bytes:
    return _encoded((fields.THREAD_NAME, name), (fields.THREAD_ID, number))


@lru_cache(maxsize=8)
def _stream(stream: str | None) -> bytes:
    return _encoded((fields.STREAM, stream))


@lru_cache(maxsize=256)
def _severity(level: int, name: str) -> bytes:
    return wire.severity(severity(level).value, severity_text(name))
