"""Bodies of requests, as batches of serialized items."""

from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from mita_otel.console.receive import json_form
from mita_otel.console.receive.body import RefusedError
from mita_otel.console.store.wire import Request
from mita_otel.console.store.writing import Batch, Signal

_TYPES: Final[dict[Signal, Any]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}


def batches_of(signal: Signal, body: bytes, *, is_json: bool) -> list[Batch]:
    """Return the batches of an export request. What is within the items is checked when they are written.

    Raises:
        RefusedError: 400, the body is no such request.
    """
    if is_json:
        message = _TYPES[signal]()
        json_form.read(body, message)
        body = message.SerializeToString()
    try:
        request = Request.FromString(body)
    except DecodeError as error:
        raise RefusedError(400, f"the body is not a protobuf {_TYPES[signal].DESCRIPTOR.full_name}") from error
    return [Batch(group.resource, scoped.scope, scoped.items) for group in request.groups for scoped in group.scoped]
