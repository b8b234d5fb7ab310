"""Traces as OTLP writes them in JSON: hexadecimal ids, 64-bit numbers as text, enumerations as numbers."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from math import inf, isnan
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.reading.trace import Trace, TracedSpan

Json = dict[str, Any]

WARNINGS: Final = "@jaeger@warnings"
"""The attribute in which Jaeger tells what is odd about a span."""


def resource_spans(trace: Trace) -> list[Json]:
    """Return the spans of a trace by resource and scope."""
    grouped: dict[int, dict[int, list[Json]]] = {}
    for span in trace.spans:
        grouped.setdefault(span.resource, {}).setdefault(span.scope, []).append(_span(span))
    return [
        {
            "resource": _without_empty({"attributes": _attributes(trace.resources[resource].attributes)}),
            "scopeSpans": [{"scope": _scope(trace.scopes[scope]), "spans": spans} for scope, spans in scopes.items()],
        }
        for resource, scopes in grouped.items()
    ]


def _scope(scope: InstrumentationScope) -> Json:
    return _without_empty({"name": scope.name, "version": scope.version, "attributes": _attributes(scope.attributes)})


def _span(traced: TracedSpan) -> Json:
    span = traced.span
    attributes = _attributes(span.attributes)
    if traced.warnings:
        told = [{"stringValue": warning} for warning in traced.warnings]
        attributes.append({"key": WARNINGS, "value": {"arrayValue": {"values": told}}})
    return _without_empty(
        {
            "traceId": span.trace_id.hex(),
            "spanId": traced.id.hex(),
            "traceState": span.trace_state,
            "parentSpanId": traced.parent.hex(),
            "flags": span.flags,
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": str(span.start_time_unix_nano),
            "endTimeUnixNano": str(max(span.end_time_unix_nano, span.start_time_unix_nano)),
            "attributes": attributes,
            "droppedAttributesCount": span.dropped_attributes_count,
            "events": [_event(event) for event in span.events],
            "droppedEventsCount": span.dropped_events_count,
            "links": [_link(link) for link in span.links],
            "droppedLinksCount": span.dropped_links_count,
            "status": _without_empty({"message": span.status.message, "code": span.status.code}),
        }
    )


def _event(event: Span.Event) -> Json:
    return _without_empty(
        {
            "timeUnixNano": str(event.time_unix_nano),
            "name": event.name,
            "attributes": _attributes(event.attributes),
            "droppedAttributesCount": event.dropped_attributes_count,
        }
    )


def _link(link: Span.Link) -> Json:
    return _without_empty(
        {
            "traceId": link.trace_id.hex(),
            "spanId": link.span_id.hex(),
            "traceState": link.trace_state,
            "attributes": _attributes(link.attributes),
            "droppedAttributesCount": link.dropped_attributes_count,
            "flags": link.flags,
        }
    )


def _attributes(pairs: Iterable[KeyValue]) -> list[Json]:
    return [{"key": pair.key, "value": _value(pair.value)} for pair in pairs]


def _value(value: AnyValue) -> Json:
    kind = str(value.WhichOneof("value"))
    if kind not in _VALUES:
        return {}
    name, write = _VALUES[kind]
    return {name: write(getattr(value, kind))}


def _double(number: float) -> float | str:
    if isnan(number):
        return "NaN"
    return number if abs(number) != inf else ("Infinity" if number > 0 else "-Infinity")


_VALUES: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "string_value": ("stringValue", str),
    "bool_value": ("boolValue", bool),
    "int_value": ("intValue", str),
    "double_value": ("doubleValue", _double),
    "bytes_value": ("bytesValue", lambda content: b64encode(content).decode()),
    "array_value": ("arrayValue", lambda array: {"values": [_value(inner) for inner in array.values]}),
    "kvlist_value": ("kvlistValue", lambda pairs: {"values": _attributes(pairs.values)}),
}
"""How the kinds of a value are named and written."""


def _without_empty(message: Json) -> Json:
    return {name: value for name, value in message.items() if value not in ("", 0, [], {})}
