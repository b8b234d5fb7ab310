"""Traces as Jaeger's first query API writes them."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mita_otel.console.reading.clauses import KINDS
from mita_otel.console.reading.trace import Trace, TracedSpan
from mita_otel.console.store.blocks import value_text
from mita_otel.console.store.values import value_of

Json = dict[str, Any]

_SAFE: Final = 2**53 - 1
"""The highest whole number that a browser reads exactly; Jaeger writes others as text."""
_SERVICE: Final = "service.name"
_REFERENCE_TYPE: Final = "opentracing.ref_type"
_STATUSES: Final = {Status.STATUS_CODE_OK: "OK", Status.STATUS_CODE_ERROR: "ERROR"}


def trace_json(trace: Trace) -> Json:
    """Return a trace."""
    names = {number: f"p{place}" for place, number in enumerate(trace.resources, 1)}
    services = {span.resource: span.service for span in trace.spans}
    return {
        "traceID": trace.id.hex(),
        "spans": [_span_json(trace, span, names[span.resource]) for span in trace.spans],
        "processes": {
            names[number]: {"serviceName": services[number], "tags": _process_tags(resource)}
            for number, resource in trace.resources.items()
        },
        "warnings": trace.warnings or None,
    }


def _span_json(trace: Trace, traced: TracedSpan, process: str) -> Json:
    span = traced.span
    return {
        "traceID": trace.id.hex(),
        "spanID": traced.id.hex(),
        "operationName": span.name,
        "references": _references(trace.id, traced),
        "startTime": traced.start,
        "duration": max(span.end_time_unix_nano - span.start_time_unix_nano, 0) // 1000,
        "tags": _sorted([*tags_of(span.attributes), *_shown_tags(span, trace.scopes[traced.scope])]),
        "logs": [_log_json(event) for event in span.events],
        "processID": process,
        "warnings": traced.warnings or None,
    }


def _process_tags(resource: Resource) -> list[Json]:
    return _sorted(tag for tag in tags_of(resource.attributes) if tag["key"] != _SERVICE)


def _references(trace: bytes, traced: TracedSpan) -> list[Json]:
    """Return the parent and the links; a link to the parent says of which type that reference is."""
    found: list[Json] = []
    if traced.parent:
        found.append(_reference("CHILD_OF", trace, traced.parent))
    for link in traced.span.links:
        if not any(link.trace_id):
            continue
        kind = "CHILD_OF" if _refers_as_child(link.attributes) else "FOLLOWS_FROM"
        if traced.parent and link.trace_id == trace and link.span_id == traced.parent:
            found[0]["refType"] = kind
        else:
            found.append(_reference(kind, link.trace_id, link.span_id))
    return found


def _reference(kind: str, trace: bytes, span: bytes) -> Json:
    return {"refType": kind, "traceID": trace.hex(), "spanID": span.hex()}


def _refers_as_child(attributes: Iterable[KeyValue]) -> bool:
    return any(pair.key == _REFERENCE_TYPE and pair.value.string_value == "child_of" for pair in attributes)


def _shown_tags(span: Span, scope: InstrumentationScope) -> Iterable[Json]:
    """Yield what Jaeger shows as tags although it is none."""
    shown: Mapping[str, str] = {
        "otel.scope.name": scope.name,
        "otel.scope.version": scope.version,
        "span.kind": KINDS[span.kind] if 0 < span.kind < len(KINDS) else "",
        "otel.status_code": _STATUSES.get(span.status.code, ""),
        "otel.status_description": span.status.message,
        "w3c.tracestate": span.trace_state,
    }
    for key, value in shown.items():
        if value:
            yield _tag(key, "string", value)
    if span.status.code == Status.STATUS_CODE_ERROR:
        yield _tag("error", "bool", True)


def _log_json(event: Span.Event) -> Json:
    fields = _sorted(tags_of(event.attributes))
    name = next((tag for tag in fields if tag["key"] == "event" and tag["type"] == "string"), None)
    if name is not None:
        fields.remove(name)
    elif event.name and not any(tag["key"] == "event" for tag in fields):
        name = _tag("event", "string", event.name)
    return {"timestamp": event.time_unix_nano // 1000, "fields": [name, *fields] if name else fields}


def tags_of(pairs: Iterable[KeyValue]) -> list[Json]:
    """Return attributes as tags."""
    return [_tag(pair.key, *_typed(value_of(pair.value))) for pair in pairs]


def _typed(value: Any) -> tuple[str, Any]:
    match value:
        case str():
            return "string", value
        case bool():
            return "bool", value
        case int():
            return "int64", value if -_SAFE <= value <= _SAFE else str(value)
        case float():
            return "float64", value if isfinite(value) else str(value)
        case bytes():
            return "binary", b64encode(value).decode()
    return "string", value_text(value)


def _tag(key: str, kind: str, value: Any) -> Json:
    return {"key": key, "type": kind, "value": value}


def _sorted(tags: Iterable[Json]) -> list[Json]:
    return sorted(tags, key=lambda tag: (tag["key"], tag["type"]))
