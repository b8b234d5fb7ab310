"""Spans of databases, caches and clients as breadcrumbs: what led to an error, without measuring it a second time.

Sentry's own integrations of these libraries would start a span of their own for each query.
"""

from collections.abc import Mapping
from typing import Any, Final

import sentry_sdk
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.status import StatusCode

_CACHES: Final = frozenset({"redis", "valkey"})


class BreadcrumbProcessor(SpanProcessor):
    """Leaves a breadcrumb for each call that went out; other spans cost one comparison."""

    takes_original_spans = True
    """It changes none, and needs no copies."""

    def on_end(self, span: ReadableSpan) -> None:
        """Add a breadcrumb to the request's; never raises. What is sensitive in it is masked when it is reported."""
        if span.kind is not SpanKind.CLIENT:
            return
        try:
            crumb = breadcrumb(span)
            if crumb is not None:
                sentry_sdk.add_breadcrumb(crumb)
        except Exception:  # noqa: BLE001, S110 - the room's door: a breadcrumb is worth no request
            pass


def breadcrumb(span: ReadableSpan) -> dict[str, Any] | None:
    """Return the breadcrumb of a span, or None if it is of a kind that leaves none."""
    attributes: Mapping[str, Any] = span.attributes or {}
    level = "error" if span.status.status_code is StatusCode.ERROR else "info"
    system = attributes.get("db.system.name")
    if system is not None:
        kind = "redis" if system in _CACHES else "query"
        return {"category": kind, "message": attributes.get("db.query.text", span.name), "level": level}
    method = attributes.get("http.request.method")
    if method is None:
        return None
    data = {
        "method": method,
        "url": attributes.get("url.full"),
        "status_code": attributes.get("http.response.status_code"),
    }
    known = {key: value for key, value in data.items() if value is not None}
    return {"category": "httplib", "type": "http", "data": known, "level": level}
