"""Which span a record belongs to."""

from logging import LogRecord
from typing import Final

from opentelemetry.trace import SpanContext, get_current_span

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
