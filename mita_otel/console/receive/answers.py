"""Answers in the encoding of their requests."""

from typing import Any, Final

import orjson
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mita_otel.console.receive.transaction import OK, Answer
from mita_otel.console.store.writing import Signal

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_RESPONSES: Final[dict[Signal, tuple[Any, str, str]]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
}

GRPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 12, 405: 12, 408: 4, 413: 8, 415: 3, 500: 13, 503: 14}
"""The number of the gRPC code that says the same as an HTTP status."""


def body_of(answer: Answer, signal: Signal, *, is_json: bool) -> bytes:
    """Return the body of an answer: an export response, or of an error a google.rpc.Status."""
    if answer.status != OK:
        return status_of(answer, is_json=is_json)
    if is_json:
        return _success_json(answer, signal)
    return success_of(answer, signal)


def success_of(answer: Answer, signal: Signal) -> bytes:
    """Return a serialized export response."""
    if not answer.rejected:
        return b""
    response, field, _ = _RESPONSES[signal]
    message = response()
    setattr(message.partial_success, field, answer.rejected)
    message.partial_success.error_message = answer.message
    return bytes(message.SerializeToString())


def _success_json(answer: Answer, signal: Signal) -> bytes:
    if not answer.rejected:
        return b"{}"
    field = _RESPONSES[signal][2]
    # 64-bit numbers are strings in protobuf's JSON form.
    return orjson.dumps({"partialSuccess": {field: str(answer.rejected), "errorMessage": answer.message}})


def status_of(answer: Answer, *, is_json: bool) -> bytes:
    """Return a google.rpc.Status."""
    code = GRPC_CODES[answer.status]
    if is_json:
        return orjson.dumps({"code": code, "message": answer.message})
    return bytes(Status(code=code, message=answer.message).SerializeToString())
