"""OTLP's JSON form is read with its differences from that of protobuf."""

import base64
import contextlib
import json
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped] # no types are shipped
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.receive.body import RefusedError
from mita_otel.console.receive.json_form import read
from tests.fixtures.otlp_requests import gauge, logs, metrics, pairs, record, span, span_id, trace_id, traces

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"


def document(span_fields: dict[str, Any]) -> bytes:
    fields = {"traceId": TRACE, "spanId": SPAN, "name": "GET /", **span_fields}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}).encode()


def read_span(span_fields: dict[str, Any]) -> Span:
    request = ExportTraceServiceRequest()
    read(document(span_fields), request)
    (found,) = request.resource_spans[0].scope_spans[0].spans
    assert isinstance(found, Span)
    return found


def hexadecimal(content: Any) -> Any:
    """Return protobuf's JSON form with the ids as OTLP has them."""
    if isinstance(content, list):
        return [hexadecimal(part) for part in content]
    if not isinstance(content, dict):
        return content
    ids = {"traceId", "spanId", "parentSpanId"}
    return {key: base64.b64decode(value).hex() if key in ids else hexadecimal(value) for key, value in content.items()}


def full_traces() -> ExportTraceServiceRequest:
    made = span("GET /", parent=span_id(), error=True, number=2**62, text="ü", flag=True, raw=b"\x00\xff", half=0.5)
    made.attributes.extend(pairs({"list": [1, ["a"]], "map": {"traceId": "not an id", "inner": {"x": 1}}}))
    made.events.add(name="event", time_unix_nano=1_700_000_000_000_000_001)
    made.links.add(trace_id=trace_id(), span_id=span_id())
    return traces(made)


def full_logs() -> ExportLogsServiceRequest:
    made = record({"a": [1]}, severity=17)
    made.trace_id, made.span_id = trace_id(), span_id()
    return logs(made)


def full_metrics() -> ExportMetricsServiceRequest:
    made = gauge(value=1.5)
    made.gauge.data_points[0].exemplars.add(as_int=2**60, trace_id=trace_id(), span_id=span_id())
    return metrics(made)


@pytest.mark.parametrize("request_", [full_traces(), full_logs(), full_metrics()], ids=["traces", "logs", "metrics"])
@pytest.mark.parametrize("numeric_enums", [True, False])
def test_what_is_written_as_json_says_what_it_said_before(request_: Any, *, numeric_enums: bool) -> None:
    content = json_format.MessageToDict(request_, use_integers_for_enums=numeric_enums)
    found = type(request_)()
    read(json.dumps(hexadecimal(content)).encode(), found)
    assert found == request_


@pytest.mark.parametrize("text", [TRACE, TRACE.upper()])
def test_ids_are_hexadecimal_in_either_case(text: str) -> None:
    assert read_span({"traceId": text}).trace_id.hex() == TRACE


@pytest.mark.parametrize("text", ["5b8efff798038103d269b633813fc60", "zz" * 16, "5b 8e", "WY7/95gDgQPSabYzgT/GDA=="])
def test_what_is_no_hexadecimal_id_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"traceId .* is not hexadecimal") as refused:
        read(document({"traceId": text}), ExportTraceServiceRequest())
    assert refused.value.status == 400


@pytest.mark.parametrize("value", [1544712660000000000, "1544712660000000000"])
def test_64_bit_numbers_may_be_text(value: int | str) -> None:
    assert read_span({"startTimeUnixNano": value}).start_time_unix_nano == 1544712660000000000


@pytest.mark.parametrize("kind", [2, "SPAN_KIND_SERVER"])
def test_enums_may_be_numbers_or_names(kind: int | str) -> None:
    assert read_span({"kind": kind}).kind == Span.SPAN_KIND_SERVER


def test_bytes_are_base64() -> None:
    found = read_span({"attributes": [{"key": "raw", "value": {"bytesValue": "AP8="}}]})
    assert found.attributes[0].value.bytes_value == b"\x00\xff"


def test_keys_may_be_written_as_in_the_protocol_s_source() -> None:
    found = read_span({"parent_span_id": SPAN, "start_time_unix_nano": "5"})
    assert (found.parent_span_id.hex(), found.start_time_unix_nano) == (SPAN, 5)


def test_unknown_fields_are_passed_over() -> None:
    assert read_span({"newField": {"traceId": "no id"[:0]}, "kind": "SPAN_KIND_NEW"}).name == "GET /"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [5]}',
        b'{"resourceSpans": [null]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1e300}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\xff"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"resourceSpans": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_what_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        read(body, ExportTraceServiceRequest())
    assert refused.value.status == 400


def test_nesting_of_five_is_read_and_of_thousands_refused() -> None:
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {"stringValue": "core"}
        for _ in range(depth):
            value = {"arrayValue": {"values": [value]}}
        return {"attributes": [{"key": "deep", "value": value}]}

    assert read_span(nested(5)).attributes[0].key == "deep"
    for depth in (100, 300):
        with pytest.raises(RefusedError):
            read_span(nested(depth))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "traceId", "attributes", "key", "value", "kind", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_read_or_refused(content: Any) -> None:
    with contextlib.suppress(RefusedError):
        read(json.dumps(content).encode(), ExportTraceServiceRequest())
