"""Reads the traces that Datadog's agent is sent, in versions 0.4 and 0.5 of its protocol."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.overhead.received.content import Operation, Span, Telemetry
from benchmarks.overhead.received.msgpack import unpack

_FIELDS: Final = (
    *("service", "name", "resource", "trace_id", "span_id", "parent_id"),
    *("start", "duration", "error", "meta", "metrics", "type"),
)
"""Of a span in version 0.5, which is an array. Source: dd-trace-py, ddtrace/internal/_encoding.pyx."""
_TEXTS: Final = frozenset({"service", "name", "resource", "type"})


def read(path: str, data: bytes) -> Telemetry:
    """Return the spans of a body that was sent to `path`."""
    message = unpack(data)
    spans = _version_5(message) if path.startswith("/v0.5/") else _version_4(message)
    return Telemetry(spans=[_span(span) for span in spans])


def _version_4(message: Any) -> Iterator[Mapping[str, Any]]:
    for trace in message:
        yield from trace


def _version_5(message: Any) -> Iterator[Mapping[str, Any]]:
    texts, traces = message
    for trace in traces:
        for values in trace:
            span = dict(zip(_FIELDS, values, strict=True))
            yield {
                **{name: texts[value] if name in _TEXTS else value for name, value in span.items()},
                "meta": {texts[name]: texts[value] for name, value in span["meta"].items()},
                "metrics": {texts[name]: value for name, value in span["metrics"].items()},
            }


def _span(span: Mapping[str, Any]) -> Span:
    meta: Mapping[str, str] = span.get("meta") or {}
    return Span(
        operation=_operation(span, meta),
        kind=meta.get("span.kind", "internal"),
        name=span["name"],
        trace=f"{span['trace_id']:x}",
        identity=f"{span['span_id']:x}",
        parent=f"{span['parent_id']:x}" if span.get("parent_id") else "",
        attributes=frozenset([*meta, *(span.get("metrics") or {})]),
    )


def _operation(span: Mapping[str, Any], meta: Mapping[str, str]) -> Operation:
    kind = meta.get("span.kind")
    if kind != "client":
        return "server" if kind == "server" else "other"
    match span.get("type"):
        case "sql":
            return "sql" if span["resource"].lstrip().upper().startswith("SELECT") else "other"
        case "redis":
            return "redis"
        case "http":
            return "http"
        case _:
            return "other"
