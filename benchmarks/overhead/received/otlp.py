"""Reads OTLP bodies."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.overhead.received.content import Log, Operation, Points, Span, Telemetry

_KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
_CUMULATIVE: Final = 2


def read_traces(data: bytes) -> Telemetry:
    """Return the spans of a body."""
    request = ExportTraceServiceRequest.FromString(data)
    return Telemetry(
        spans=[
            _span(span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    )  # fmt: skip


def read_logs(data: bytes) -> Telemetry:
    """Return the log records of a body."""
    request = ExportLogsServiceRequest.FromString(data)
    return Telemetry(
        logs=[
            Log(linked=bool(record.trace_id), attributes=frozenset(pair.key for pair in record.attributes))
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]
    )


def read_metrics(data: bytes) -> Telemetry:
    """Return the points of a body."""
    return Telemetry(points=list(_points(ExportMetricsServiceRequest.FromString(data))))


def _span(span: Any) -> Span:
    attributes = {pair.key: pair.value.string_value for pair in span.attributes}
    kind = _KINDS[span.kind]
    return Span(
        operation=_operation(kind, span.name, attributes),
        kind=kind,
        name=span.name,
        trace=span.trace_id.hex(),
        identity=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes=frozenset(attributes),
    )


def _operation(kind: str, name: str, attributes: Mapping[str, str]) -> Operation:
    if attributes.get("logfire.span_type") == "log":
        return "log"
    if kind != "client":
        return "server" if kind == "server" else "other"
    return _call(name, attributes)


def _call(name: str, attributes: Mapping[str, str]) -> Operation:
    match attributes.get("db.system.name") or attributes.get("db.system"):
        case "postgresql":
            statement = attributes.get("db.query.text") or attributes.get("db.statement") or name
            return "sql" if statement.lstrip().upper().startswith("SELECT") else "other"
        case "redis":
            return "redis"
        case None:
            return "http" if attributes.keys() & {"http.request.method", "http.method"} else "other"
        case _:
            return "other"


def _points(request: Any) -> Iterator[Points]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                data = getattr(metric, metric.WhichOneof("data"))
                yield Points(
                    name=metric.name,
                    number=len(data.data_points),
                    attributes=frozenset(pair.key for point in data.data_points for pair in point.attributes),
                    counted={
                        _series(scope.scope.name, point): point.count
                        for point in data.data_points
                        if hasattr(point, "count")
                    },
                    cumulative=getattr(data, "aggregation_temporality", _CUMULATIVE) == _CUMULATIVE,
                )


def _series(scope: str, point: Any) -> str:
    return ";".join([scope, *sorted(f"{pair.key}={pair.value}" for pair in point.attributes)])
