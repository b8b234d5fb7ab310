"""What is written directly reads, by the official classes, like what the official encoder writes."""

import math
from typing import Any

import pytest
from google.protobuf.message import Message  # type: ignore[import-untyped] # no types are shipped
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._internal import (
    _encode_instrumentation_scope,
    _encode_key_value,
    _encode_resource,
    _encode_value,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.export import wire

TEXTS = st.text(max_size=300)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | TEXTS
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(TEXTS | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)
ATTRIBUTES = st.dictionaries(st.text(min_size=1, max_size=20), VALUES, max_size=5)
URLS = st.sampled_from(["", "https://opentelemetry.io/schemas/1.30.0"])
RESOURCES = st.builds(Resource, ATTRIBUTES, URLS)
SCOPES = st.none() | st.builds(
    InstrumentationScope, st.text(max_size=20), st.none() | st.text(max_size=9), URLS, st.none() | ATTRIBUTES
)


class Text(str):
    """A text of a library's own type."""

    __slots__ = ()


class Number(int):
    """A number of a library's own type."""


def read(kind: type[Message], encoded: bytes) -> Any:
    return kind.FromString(encoded)


@given(st.integers(0, (1 << 64) - 1))
@example(127)
@example(128)
@example(1023)
@example(1024)
@example(16_384)
def test_a_varint_is_read_as_the_number_it_was(number: int) -> None:
    groups = wire.varint(number)
    assert sum((group & 0x7F) << 7 * position for position, group in enumerate(groups)) == number
    assert [group >> 7 for group in groups] == [1] * (len(groups) - 1) + [0]


@given(st.integers(0, (1 << 64) - 1))
def test_a_fixed_number_is_read_as_the_number_it_was(number: int) -> None:
    assert read(LogRecord, b"\x59" + wire.fixed64(number)).observed_time_unix_nano == number


@given(VALUES)
@example(Text("text"))
@example(Number(7))
@example(range(3))
@example([[], {}, "", 0, False, None])
def test_a_value_is_that_of_the_official_encoder(value: Any) -> None:
    assert read(AnyValue, wire.any_value(value)) == _encode_value(value)


@given(st.text(max_size=40), VALUES)
def test_an_attribute_is_that_of_the_official_encoder(key: str, value: Any) -> None:
    expected = _encode_key_value(key, value)
    encoded = wire.key_value(key, value)
    length = wire.varint(expected.ByteSize())
    assert encoded.startswith(length)
    assert read(KeyValue, encoded[len(length) :]) == expected


def test_a_number_that_is_none_stays_one() -> None:
    assert math.isnan(read(AnyValue, wire.any_value(math.nan)).double_value)


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    "value", ["\ud800", 1 << 63, -(1 << 63) - 1, object(), {"a": [1 << 70]}, endless()], ids=range(6)
)
def test_a_value_without_a_form_costs_itself_only_and_is_counted(value: Any) -> None:
    fields, lost = wire.attributes(b"\x4a", [("before", 1), ("odd", value), ("after", 2)])
    assert lost == 1
    assert [pair.key for pair in read(Span, b"".join(fields)).attributes] == ["before", "after"]


@given(RESOURCES, SCOPES)
def test_resource_and_scope_are_those_of_the_official_encoder(resource: Resource, scope: Any) -> None:
    payload = wire.join([(wire.envelope(resource, scope), b"\x12" + wire.framed(b"\x2a\x01s"))])
    (found,) = read(ExportTraceServiceRequest, payload).resource_spans
    (of_scope,) = found.scope_spans
    assert found.resource == _encode_resource(resource)
    assert found.schema_url == resource.schema_url
    assert of_scope.scope == _encode_instrumentation_scope(scope)
    assert of_scope.schema_url == ((scope.schema_url or "") if scope else "")
    assert [span.name for span in of_scope.spans] == ["s"]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=20))
def test_each_record_is_found_below_its_resource_and_scope_in_its_order(places: list[tuple[int, int]]) -> None:
    resources = [Resource({"service.name": f"service-{n}"}) for n in range(2)]
    scopes = [InstrumentationScope(f"scope-{n}") for n in range(3)]
    envelopes = wire.Envelopes()
    pieces = [
        (envelopes.of(resources[which], scopes[scope]), b"\x12" + wire.framed(b"\x1a" + wire.text(str(number))))
        for number, (which, scope) in enumerate(places)
    ]
    found = [
        (
            int(resource.resource.attributes[0].value.string_value[-1]),
            int(scope.scope.name[-1]),
            int(record.severity_text or 0),
        )
        for resource in read(ExportLogsServiceRequest, wire.join(pieces)).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]
    expected = [(*place, number) for number, place in enumerate(places)]
    assert sorted(found, key=lambda place: place[2]) == expected


def test_envelopes_of_more_scopes_than_are_remembered_are_still_right() -> None:
    resource = Resource({})
    envelopes = wire.Envelopes(limit=2)
    scopes = [InstrumentationScope(f"scope-{n}") for n in range(5)]
    for scope in [*scopes, *scopes]:
        assert envelopes.of(resource, scope) == wire.envelope(resource, scope)


@given(st.lists(st.tuples(RESOURCES, SCOPES, st.binary(max_size=200)), max_size=6))
def test_what_was_joined_is_split_into_the_same_pieces(records: list[tuple[Resource, Any, bytes]]) -> None:
    pieces = [(wire.envelope(resource, scope), b"\x12" + wire.framed(content)) for resource, scope, content in records]
    joined = wire.join(pieces)
    assert sorted(wire.split(joined)) == sorted(pieces)
    assert wire.join(wire.split(joined)) == joined


@given(st.binary(max_size=100))
def test_what_is_no_payload_is_refused_or_read_to_its_end(garbage: bytes) -> None:
    try:
        wire.split(garbage)
    except ValueError:
        return
    wire.join(wire.split(garbage))
