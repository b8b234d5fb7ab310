"""Which request a record belongs to: trace, span and correlation id."""

from logging import LogRecord
from typing import Any, Final

from opentelemetry.trace import SpanContext, format_span_id, format_trace_id, get_current_span

from mita_otel import correlation
from mita_otel.logs import fields
from mita_otel.traces.request import span_context

SERVER_LOGGERS: Final = frozenset(
    {"uvicorn.access", "uvicorn.error", "uvicorn.asgi", "gunicorn.access", "gunicorn.error"}
)
"""Servers log about a request outside its span, where the current span may even be that of the request before."""


def span_of(record: LogRecord) -> SpanContext:
    """Return the span a record belongs to: the current one, for a server's record and without one the request's."""
    current = get_current_span().get_span_context()
    if current.is_valid and record.name not in SERVER_LOGGERS:
        return current
    request = span_context()
    return request if request.is_valid else current


def bind_request(record: LogRecord, entry: dict[str, Any]) -> None:
    """Name the trace, the span and the correlation id, where there is one."""
    span = span_of(record)
    if span.is_valid:
        entry[fields.TRACE_ID] = format_trace_id(span.trace_id)
        entry[fields.SPAN_ID] = format_span_id(span.span_id)
        entry[fields.TRACE_FLAGS] = f"{span.trace_flags:02x}"
    correlation_id = correlation.current()
    if correlation_id is not None:
        entry[fields.CORRELATION_ID] = correlation_id
