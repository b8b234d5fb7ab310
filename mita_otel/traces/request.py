"""The SERVER span of the request being served, reachable where its context is no longer current."""

from contextvars import ContextVar
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, SpanContext, SpanKind

from mita_otel import correlation

_span_context: ContextVar[SpanContext] = ContextVar("mita_request_span", default=INVALID_SPAN_CONTEXT)
_untrusted: ContextVar[SpanContext | None] = ContextVar("mita_untrusted_parent", default=None)

UNTRUSTED_LINK: Final = {"mita.link.kind": "untrusted_parent"}


def span_context() -> SpanContext:
    """Return the span context of the request's SERVER span; not valid outside a request.

    Servers write their access line and report unhandled exceptions after the span is over, but in the same task.
    """
    return _span_context.get()


def begin(untrusted_parent: SpanContext | None = None) -> None:
    """Forget the last request of this context, and remember a parent that is linked to but not trusted."""
    _span_context.set(INVALID_SPAN_CONTEXT)
    _untrusted.set(untrusted_parent)


def remember(context: SpanContext) -> None:
    """Remember an unsampled SERVER span, which no processor is told of."""
    if not _span_context.get().is_valid:
        _span_context.set(context)


class RequestSpanProcessor(SpanProcessor):
    """Marks SERVER spans with the correlation id and remembers their context."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's signature
        """Mark a SERVER span as it starts; other spans cost one comparison."""
        if span.kind is not SpanKind.SERVER:
            return
        _span_context.set(span.get_span_context())
        correlation_id = correlation.current()
        if correlation_id is not None:
            span.set_attribute(correlation.ATTRIBUTE, correlation_id)
        parent = _untrusted.get()
        if parent is not None:
            link = Link(parent, UNTRUSTED_LINK)
            span.add_link(link.context, link.attributes)
