"""The views of OTLP messages fit the messages."""

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.store import wire
from tests.fixtures.otlp_requests import gauge, logs, metrics, record, span, traces

_RENAMED = {
    "start": "start_time_unix_nano",
    "end": "end_time_unix_nano",
    "time": "time_unix_nano",
    "observed": "observed_time_unix_nano",
    "severity": "severity_number",
}


@pytest.mark.parametrize(
    ("view", "message"), [(wire.Span, Span), (wire.LogRecord, LogRecord), (wire.Resource, Resource)]
)
def test_the_fields_of_a_view_have_the_numbers_of_the_message(view: Any, message: Any) -> None:
    real = {field.name: field.number for field in message.DESCRIPTOR.fields}
    assert {field.name: field.number for field in view.DESCRIPTOR.fields} == {
        field.name: real[_RENAMED.get(field.name, field.name)] for field in view.DESCRIPTOR.fields
    }


@pytest.mark.parametrize(
    "request_type", [ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest]
)
def test_the_requests_of_all_signals_have_one_shape(request_type: Any) -> None:
    groups = request_type.DESCRIPTOR.fields[0]
    resource, scoped = groups.message_type.fields[:2]
    scope, items = scoped.message_type.fields[:2]
    assert [field.number for field in (groups, resource, scoped, scope, items)] == [1, 1, 2, 1, 2]
    assert [resource.message_type.name, scope.message_type.name] == ["Resource", "InstrumentationScope"]


@pytest.mark.parametrize(
    ("request_", "item"),
    [
        (traces(made := span(size=5)), made),
        (logs(written := record(size=5)), written),
        (metrics(measured := gauge(size="5")), measured),
    ],
)
def test_the_items_of_a_request_stay_as_they_came(request_: Any, item: Any) -> None:
    parsed = wire.Request.FromString(request_.SerializeToString())
    assert list(parsed.groups[0].scoped[0].items) == [item.SerializeToString()]


def test_the_view_of_a_span_says_what_the_span_says() -> None:
    full = span("GET /", parent=b"12345678", kind=3, error=True, answer=42)
    view = wire.Span.FromString(full.SerializeToString())
    assert (view.trace_id, view.span_id, view.parent_span_id) == (full.trace_id, full.span_id, full.parent_span_id)
    assert (view.name, view.kind, view.start, view.end) == (
        "GET /",
        3,
        full.start_time_unix_nano,
        full.end_time_unix_nano,
    )
    assert list(view.attributes) == [full.attributes[0].SerializeToString()]
    assert view.status == full.status.SerializeToString()
