"""Work that goes on after its cause has been answered: in a trace of its own, linked to what caused it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.trace import Link, SpanKind

from mita_otel.traces.propagation import parse, traceresponse

MAX_LINKS: Final = 128
"""Causes that one piece of work is linked to; the SDK keeps no more by default."""

LINK: Final = {"mita.link.kind": "cause"}


def current_traceparent() -> str | None:
    """Return the current span as a W3C `traceparent` of 55 characters, to be stored with the work it causes.

    Returns None where there is no span: outside a request, or where nothing is traced.
    """
    span_context = trace.get_current_span().get_span_context()
    return traceresponse(span_context) if span_context.is_valid else None


@contextmanager
def linked_work(name: str, *causes: str | None) -> Iterator[None]:
    """Do the work of the block in a new trace that is linked to its causes; a span is there only where an SDK is.

    The root span is a CONSUMER if it has a cause, INTERNAL if it has none (work that begins by the clock). An exception
    that leaves the block makes it an error and goes on.

    Args:
        name: of the span, out of a closed set: no ids.
        causes: what `current_traceparent` returned for each cause; None, repeated and malformed ones are left out, and
            so are those beyond 128.
    """
    links = _links(causes)
    tracer = trace.get_tracer("mita_otel.background")
    kind = SpanKind.CONSUMER if links else SpanKind.INTERNAL
    # Nothing of the surroundings: neither a parent nor baggage.
    token = otel_context.attach(Context())
    try:
        with tracer.start_as_current_span(name, kind=kind, links=links):
            yield
    finally:
        otel_context.detach(token)


@contextmanager
def unobserved() -> Iterator[None]:
    """Make no spans in the block: to look for work every few seconds is nothing that anyone reads a trace of."""
    token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        yield
    finally:
        otel_context.detach(token)


def _links(causes: tuple[str | None, ...]) -> list[Link]:
    known = (parse(cause) for cause in dict.fromkeys(causes) if cause)
    return [Link(span_context, LINK) for span_context in known if span_context is not None][:MAX_LINKS]
