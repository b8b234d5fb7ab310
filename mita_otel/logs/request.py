"""Which span a record belongs to."""

from logging import LogRecord
from typing import Final

from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel.current_context import get_current
from mita_otel.traces.positions import IS_VALID
from mita_otel.traces.request import span_context
from mita_otel.traces.span import Span

SERVER_LOGGERS: Final = frozenset(
    {"uvicorn.access", "uvicorn.error", "uvicorn.asgi", "gunicorn.access", "gunicorn.error"}
)
"""Servers log about a request outside its span, where the current span may even be that of the request before."""


def span_of(record: LogRecord) -> SpanContext:
    """Return the span a record belongs to: the current one, for a server's record and without one the request's."""
    span = get_current().get(_SPAN_KEY)
    # The API looks for the context in four calls, and asks of what abstract class the span is.
    current: SpanContext = span._context if type(span) is Span else get_current_span().get_span_context()  # noqa: SLF001
    if current[IS_VALID] and record.name not in SERVER_LOGGERS:
        return current
    request = span_context()
    return request if request.is_valid else current
