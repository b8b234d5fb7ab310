"""A log record in OTLP's wire format.

Source: opentelemetry/proto/logs/v1/logs.proto
"""

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord

from mita_otel.export.wire import any_value, attributes, fixed32, fixed64, framed, text, varint

ATTRIBUTE = b"\x32"
"""The tag of an attribute in its log record."""

_RECORD = b"\x12"
_MOST_FLAGS = 0xFF


def times(timestamp: int, observed: int) -> bytes:
    """Return both times of a record as fields; nanoseconds since the epoch, 0 and above."""
    return b"\x09" + fixed64(timestamp) + b"\x59" + fixed64(observed)


def severity(number: int, name: str | None) -> bytes:
    """Return the severity as fields: 1 to 24, 0 for none, and its name."""
    return (b"\x10" + varint(number) if number else b"") + (b"\x1a" + text(name) if name else b"")


def trace(trace_id: int, span_id: int, flags: int) -> bytes:
    """Return what a record belongs to as fields; an id of 0 is none."""
    return b"".join(
        (
            b"\x45" + fixed32(flags & _MOST_FLAGS) if flags else b"",
            b"\x4a\x10" + trace_id.to_bytes(16, "big") if trace_id else b"",
            b"\x52\x08" + span_id.to_bytes(8, "big") if span_id else b"",
        )
    )


def body(content: bytes) -> bytes:
    """Return a body, the content of an `AnyValue`, as a field."""
    return b"\x2a" + framed(content)


def dropped(attributes: int) -> bytes:
    """Return the number of attributes that a record lost as a field."""
    return b"\x38" + varint(attributes)


def record(*fields: bytes) -> bytes:
    """Return a record of these fields as a field of its `ScopeLogs`."""
    return _RECORD + framed(b"".join(fields))


def encode(readable: ReadableLogRecord) -> bytes:
    """Return the SDK's record as a field of its `ScopeLogs`; attributes that OTLP has no form for count as dropped.

    Raises:
        ValueError, TypeError, RecursionError: OTLP has no form for the body.
    """
    log: LogRecord = readable.log_record
    kept, lost = attributes(ATTRIBUTE, (log.attributes or {}).items())
    lost += readable.dropped_attributes
    return record(
        times(log.timestamp or 0, log.observed_timestamp or 0),
        severity(log.severity_number.value if log.severity_number else 0, log.severity_text),
        body(any_value(log.body)),
        *kept,
        dropped(lost) if lost else b"",
        trace(log.trace_id or 0, log.span_id or 0, int(log.trace_flags or 0)),
        b"\x62" + text(log.event_name) if log.event_name else b"",
    )
