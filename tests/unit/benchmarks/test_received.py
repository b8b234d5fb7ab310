import struct
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from benchmarks.overhead import look
from benchmarks.overhead.received import Body, Log, Points, Span, Telemetry, read

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3
_TRACE, _ROOT, _CHILD = b"t" * 16, b"r" * 8, b"c" * 8


def _attributes(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]


def _traces(kind: Any, name: str, attributes: dict[str, str]) -> Telemetry:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=_TRACE, span_id=_CHILD, parent_span_id=_ROOT, kind=kind, name=name, attributes=_attributes(attributes)
    )
    return read([Body("/v1/traces", request.SerializeToString())])


def _durations(name: str, count: int, temporality: Any, scope: str = "s") -> Body:
    request = ExportMetricsServiceRequest()
    scoped = request.resource_metrics.add().scope_metrics.add()
    scoped.scope.name = scope
    metric = scoped.metrics.add(name=name)
    metric.histogram.aggregation_temporality = temporality
    metric.histogram.data_points.add(count=count, attributes=_attributes({"http.route": "/db"}))
    return Body("/v1/metrics", request.SerializeToString())


@pytest.mark.parametrize(
    ("kind", "name", "attributes", "operation"),
    [
        (_SERVER, "GET /db", {"http.route": "/db"}, "server"),
        (_CLIENT, "SELECT", {"db.system": "postgresql", "db.statement": "SELECT 1"}, "sql"),
        (_CLIENT, "SELECT items", {"db.system.name": "postgresql", "db.query.text": "select 1"}, "sql"),
        (_CLIENT, "SELECT items", {"db.system.name": "postgresql"}, "sql"),
        (_CLIENT, "BEGIN;", {"db.system": "postgresql", "db.statement": "BEGIN;"}, "other"),
        (_CLIENT, "GET", {"db.system": "redis"}, "redis"),
        (_CLIENT, "GET", {"db.system": "mysql"}, "other"),
        (_CLIENT, "GET", {"http.method": "GET"}, "http"),
        (_CLIENT, "GET", {"http.request.method": "GET"}, "http"),
        (_CLIENT, "SELECT", {}, "other"),
        (_INTERNAL, "GET /db http send", {}, "other"),
        (_INTERNAL, "item 7", {"logfire.span_type": "log"}, "log"),
    ],
)
def test_a_span_is_about_what_its_attributes_say(
    kind: int, name: str, attributes: dict[str, str], operation: str
) -> None:
    (span,) = _traces(kind, name, attributes).spans
    assert span.operation == operation
    assert span.attributes == frozenset(attributes)
    assert (span.trace, span.identity, span.parent) == (_TRACE.hex(), _CHILD.hex(), _ROOT.hex())


def test_a_log_record_says_whether_it_names_a_trace() -> None:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(trace_id=_TRACE, attributes=_attributes({"code.line.number": "1"}))
    records.add()
    assert read([Body("/v1/logs", request.SerializeToString())]).logs == [
        Log(linked=True, attributes=frozenset({"code.line.number"})),
        Log(linked=False, attributes=frozenset()),
    ]


def test_log_records_that_come_as_spans_count() -> None:
    assert _traces(_INTERNAL, "item 7", {"logfire.span_type": "log"}).log_records() == 1


def test_cumulative_measurements_are_those_of_the_last_export() -> None:
    telemetry = read([_durations("http.server.duration", 3, 2), _durations("http.server.duration", 5, 2)])
    assert telemetry.measured(["http.server.duration"]) == 5


def test_delta_measurements_add_up() -> None:
    telemetry = read([_durations("http.server.duration", 3, 1), _durations("http.server.duration", 5, 1)])
    assert telemetry.measured(["http.server.duration"]) == 8


def test_equal_series_of_two_scopes_are_counted_apart() -> None:
    telemetry = read([_durations("http.server.duration", 3, 2), _durations("http.server.duration", 3, 2, "other")])
    assert telemetry.measured(["http.server.duration"]) == 6


def test_other_metrics_do_not_count() -> None:
    assert read([_durations("http.client.duration", 3, 2)]).measured(["http.server.duration"]) == 0


def test_gauges_and_sums_are_points_without_measurements() -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="process.memory.usage")
    metric.sum.data_points.add(as_int=1, attributes=_attributes({"type": "rss"}))
    assert read([Body("/v1/metrics", request.SerializeToString())]).points == [
        Points("process.memory.usage", 1, frozenset({"type"}), {}, cumulative=False)
    ]


def _text(value: str) -> bytes:
    return b"\xd9" + bytes([len(value)]) + value.encode()


def test_the_fourth_version_of_the_agent_protocol_is_read() -> None:
    span = (
        b"\x86" + _text("name") + _text("postgres.query") + _text("resource") + _text("SELECT 1")
        + _text("type") + _text("sql") + _text("trace_id") + b"\x0a" + _text("span_id") + b"\x0b"
        + _text("meta") + b"\x81" + _text("span.kind") + _text("client")
    ).replace(b"\x86", b"\x87", 1) + _text("parent_id") + b"\x0c"  # fmt: skip
    (found,) = read([Body("/v0.4/traces", b"\x91\x91" + span)]).spans
    assert found == Span("sql", "client", "postgres.query", "a", "b", "c", frozenset({"span.kind"}))


def test_the_fifth_version_of_the_agent_protocol_is_read() -> None:
    texts = ["", "web", "fastapi.request", "GET /ping", "span.kind", "server", "_dd.measured"]
    table = b"\xdd" + struct.pack(">I", len(texts)) + b"".join(map(_text, texts))
    values = b"\x01\x02\x03\x0a\x0b\x00\x01\x02\x00\x81\x04\x05\x81\x06\x01\x01"
    (found,) = read([Body("/v0.5/traces", b"\x92" + table + b"\x91\x91\x9c" + values)]).spans
    attributes = frozenset({"span.kind", "_dd.measured"})
    assert found == Span("server", "server", "fastapi.request", "a", "b", "", attributes)


def test_housekeeping_of_an_agent_is_no_telemetry() -> None:
    assert read([Body("/telemetry/proxy/api/v2/apmtelemetry", b"{}")]) == Telemetry()


def _span(identity: str, name: str, parent: str = "", trace: str = "t") -> Span:
    return Span("other" if parent else "server", "internal", name, trace, identity, parent, frozenset({name}))


def test_a_look_counts_spans_a_traced_request_and_names_their_parents() -> None:
    telemetry = Telemetry(
        spans=[
            *(_span("1", "root"), _span("2", "child", "1"), _span("3", "child", "1")),
            *(_span("4", "root", trace="u"), _span("5", "child", "4", "u"), _span("6", "child", "4", "u")),
        ],
        logs=[Log(True, frozenset({"a"})), Log(False, frozenset({"b"}))],
    )
    found = look.content(telemetry, requests=20)
    assert [(shape.name, shape.parent, shape.number) for shape in found.spans] == [
        ("child", "root", 2),
        ("root", "", 1),
    ]
    assert found.spans_a_request == 3
    assert (found.logs, found.linked, found.log_attributes) == (0.1, 0.5, ("a", "b"))


def test_a_look_at_nothing_finds_nothing() -> None:
    assert look.content(Telemetry(), requests=20) == look.Content((), 0.0, 0.0, ())


def test_a_look_takes_the_most_points_a_metric_had_in_one_export() -> None:
    telemetry = Telemetry(points=[Points("m", number, frozenset({f"a{number}"}), {}, True) for number in (2, 3, 1)])
    assert look.metrics(telemetry) == (look.Metric("m", 3, ("a1", "a2", "a3")),)
