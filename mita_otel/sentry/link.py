"""Which trace a report belongs to: the one of OpenTelemetry."""

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import format_span_id, format_trace_id

from mita_otel import correlation
from mita_otel.traces import request as request_span


def ids() -> tuple[str, str] | None:
    """Return trace and span id of the current span, else of the request being served, else None.

    An error that nobody handled is reported by the outermost layer, where the span of the request is over already.
    """
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        context = request_span.span_context()
    if not context.is_valid:
        return None
    return format_trace_id(context.trace_id), format_span_id(context.span_id)


def link(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report that says which trace and which request it belongs to, if it belongs to one."""
    linked = dict(report)
    found = ids()
    if found is not None:
        contexts = dict(linked.get("contexts") or {})
        before = contexts.get("trace") or {}
        contexts["trace"] = {**before, "trace_id": found[0]}
        if linked.get("type") == "transaction":
            # Its own span stays the root of its own spans; all of them move over to the trace.
            linked["spans"] = [{**span, "trace_id": found[0]} for span in linked.get("spans") or ()]
        else:
            contexts["trace"]["span_id"] = found[1]
            contexts["trace"].pop("parent_span_id", None)
        linked["contexts"] = contexts
    correlation_id = correlation.current()
    if correlation_id is not None and isinstance(tags := linked.get("tags") or {}, dict):
        linked["tags"] = {**tags, correlation.ATTRIBUTE: correlation_id}
    return linked
