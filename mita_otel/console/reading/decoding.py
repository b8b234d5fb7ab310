"""Stored messages, decoded."""

from typing import Any, Final, cast

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.store import wire

NESTED_TOO_DEEP: Final = "its attributes, events and links are nested too deep to be shown"


def span_of(body: bytes) -> tuple[Span, bool]:
    """Return a span, and whether all of it could be read.

    Inner messages were checked one by one when they came; within the span they are one level deeper, which may be one
    too deep for the parser.
    """
    try:
        return Span.FromString(body), True
    except DecodeError:
        outer = wire.Span.FromString(body)
        return (
            Span(
                trace_id=outer.trace_id,
                span_id=outer.span_id,
                parent_span_id=outer.parent_span_id,
                name=outer.name,
                kind=cast("Any", outer.kind),
                start_time_unix_nano=outer.start,
                end_time_unix_nano=outer.end,
            ),
            False,
        )


def record_of(body: bytes) -> tuple[LogRecord, bool]:
    """Return a log record, and whether all of it could be read; see `span_of`."""
    try:
        return LogRecord.FromString(body), True
    except DecodeError:
        outer = wire.LogRecord.FromString(body)
        return (
            LogRecord(
                time_unix_nano=outer.time,
                observed_time_unix_nano=outer.observed,
                severity_text=outer.severity_text,
                trace_id=outer.trace_id,
                span_id=outer.span_id,
            ),
            False,
        )
