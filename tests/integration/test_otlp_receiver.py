"""The receiver takes what the stock exporters send, and every way in which it can misbehave is seen by a client."""

import gzip
import http.client
import logging
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import grpc  # type: ignore[import-untyped] # grpcio ships no types
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped] # no types are shipped
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # no types are shipped
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from tests.fixtures.otlp_receiver import SIGNALS, Fault, OtlpReceiver

RESOURCE = Resource({"service.name": "orders"})
SPAN = bytes.fromhex("00f067aa0ba902b7")

over_both = pytest.mark.parametrize("protocol", ["http", "grpc"])


def payload(name: str = "work") -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name=name, trace_id=b"\x01" * 16, span_id=SPAN)
    encoded: bytes = request.SerializeToString()
    return encoded


def post(
    receiver: OtlpReceiver, body: bytes, signal: str = "traces", timeout: float = 2, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", receiver.http_port, timeout=timeout)) as connection:
        sent = {"content-type": "application/x-protobuf", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.request("POST", f"/v1/{signal}", body, sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.fixture
def call(otlp_receiver: OtlpReceiver) -> Iterator[Callable[..., Any]]:
    """Export spans over gRPC, as bytes; keyword `timeout` in seconds."""
    target = otlp_receiver.grpc_endpoint.removeprefix("http://")
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        method = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            response_deserializer=ExportTraceServiceResponse.FromString,
        )
        yield lambda timeout=2: method(payload(), timeout=timeout)


def span_exporter(receiver: OtlpReceiver, protocol: str) -> SpanExporter:
    if protocol == "grpc":
        return GrpcSpanExporter(receiver.grpc_endpoint, insecure=True)
    return HttpSpanExporter(f"{receiver.http_endpoint}/v1/traces", compression=Compression.Gzip)


def metric_exporter(receiver: OtlpReceiver, protocol: str) -> MetricExporter:
    if protocol == "grpc":
        return GrpcMetricExporter(receiver.grpc_endpoint, insecure=True)
    return HttpMetricExporter(f"{receiver.http_endpoint}/v1/metrics", compression=Compression.Gzip)


def log_exporter(receiver: OtlpReceiver, protocol: str) -> LogRecordExporter:
    if protocol == "grpc":
        return GrpcLogExporter(receiver.grpc_endpoint, insecure=True)
    return HttpLogExporter(f"{receiver.http_endpoint}/v1/logs", compression=Compression.Gzip)


@pytest.fixture
def tracer(otlp_receiver: OtlpReceiver, protocol: str) -> Iterator[trace.Tracer]:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(span_exporter(otlp_receiver, protocol)))
    yield provider.get_tracer("shop", "1.2")
    provider.shutdown()


@over_both
def test_a_span_arrives_with_all_its_parts(otlp_receiver: OtlpReceiver, tracer: trace.Tracer) -> None:
    with tracer.start_as_current_span("parent") as parent:
        link = trace.Link(parent.get_span_context(), {"why": "retry"})
        with tracer.start_as_current_span("child", kind=trace.SpanKind.CLIENT, links=[link]) as child:
            child.set_attributes({"text": "a", "number": 1, "ratio": 0.5, "flag": True, "list": ["x", "y"]})
            child.add_event("retried", {"attempt": 2})
            child.set_status(trace.Status(trace.StatusCode.ERROR, "no"))
    spans = {span["name"]: span for span in otlp_receiver.spans}
    got = spans["child"]
    assert got["attributes"] == {"text": "a", "number": 1, "ratio": 0.5, "flag": True, "list": ["x", "y"]}
    assert (got["kind"], got["status"]) == (3, {"code": 2, "message": "no"})
    assert (got["trace_id"], got["parent_span_id"]) == (spans["parent"]["trace_id"], spans["parent"]["span_id"])
    assert [(event["name"], event["attributes"]) for event in got["events"]] == [("retried", {"attempt": 2})]
    assert got["links"] == [
        {"trace_id": got["trace_id"], "span_id": spans["parent"]["span_id"], "attributes": {"why": "retry"}}
    ]
    assert (got["resource"], got["scope"], got["scope_version"]) == ({"service.name": "orders"}, "shop", "1.2")
    assert spans["parent"]["start"] <= got["start"] <= got["end"] <= spans["parent"]["end"]


@over_both
def test_a_log_record_arrives_with_all_its_parts(otlp_receiver: OtlpReceiver, protocol: str) -> None:
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(log_exporter(otlp_receiver, protocol)))
    context = trace.SpanContext(int("ab" * 16, 16), int("cd" * 8, 16), is_remote=False)
    provider.get_logger("shop").emit(
        LogRecord(
            timestamp=17,
            context=trace.set_span_in_context(trace.NonRecordingSpan(context)),
            severity_text="WARN",
            severity_number=SeverityNumber.WARN,
            body={"text": "sold out", "items": [1, 2]},
            attributes={"sku": "x1"},
            event_name="stock.empty",
        )
    )
    provider.shutdown()
    (record,) = otlp_receiver.log_records
    assert (record["body"], record["attributes"]) == ({"text": "sold out", "items": [1, 2]}, {"sku": "x1"})
    assert (record["severity"], record["severity_number"]) == ("WARN", 13)
    assert (record["trace_id"], record["span_id"]) == ("ab" * 16, "cd" * 8)
    assert (record["event_name"], record["time"]) == ("stock.empty", 17)
    assert (record["resource"], record["scope"]) == ({"service.name": "orders"}, "shop")


@over_both
def test_metric_points_arrive_with_all_their_parts(otlp_receiver: OtlpReceiver, protocol: str) -> None:
    reader = PeriodicExportingMetricReader(metric_exporter(otlp_receiver, protocol), export_interval_millis=60_000)
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    meter = provider.get_meter("shop")
    meter.create_counter("sold", unit="{item}").add(3, {"sku": "x1"})
    context = trace.SpanContext(int("ab" * 16, 16), 1, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        meter.create_histogram("wait", unit="s", explicit_bucket_boundaries_advisory=[1.0, 5.0]).record(2.5)
    meter.create_up_down_counter("open").add(-1)
    provider.shutdown()
    assert otlp_receiver.metric_names == {"sold", "wait", "open"}
    (sold,), (wait,), (opened,) = (otlp_receiver.latest_points(name) for name in ("sold", "wait", "open"))
    assert (sold["value"], sold["attributes"], sold["unit"]) == (3, {"sku": "x1"}, "{item}")
    assert (sold["kind"], sold["temporality"], sold["monotonic"]) == ("sum", "cumulative", True)
    assert (opened["value"], opened["monotonic"]) == (-1, False)
    assert (wait["kind"], wait["count"], wait["sum"], wait["bounds"]) == ("histogram", 1, 2.5, [1.0, 5.0])
    assert wait["buckets"] == [0, 1, 0]
    assert [(x["trace_id"], x["value"]) for x in wait["exemplars"]] == [("ab" * 16, 2.5)]
    assert sold["start"] < sold["time"]
    assert (sold["resource"], sold["scope"]) == ({"service.name": "orders"}, "shop")


@over_both
def test_a_request_is_written_down_with_headers_size_and_time(
    otlp_receiver: OtlpReceiver, tracer: trace.Tracer, protocol: str
) -> None:
    before = time.monotonic()
    tracer.start_span("work").end()
    (request,) = otlp_receiver.requests
    assert (request.signal, request.protocol) == ("traces", protocol)
    assert request.path in {"/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"}
    assert "user-agent" in request.headers
    assert request.size > 20
    assert before < request.at < time.monotonic()


def test_a_compressed_body_is_counted_as_sent(otlp_receiver: OtlpReceiver) -> None:
    body = gzip.compress(payload("x" * 1000))
    assert post(otlp_receiver, body, content_encoding="gzip")[0] == 200
    assert (otlp_receiver.requests[0].size, otlp_receiver.spans[0]["name"]) == (len(body), "x" * 1000)


def test_one_connection_serves_many_requests(otlp_receiver: OtlpReceiver) -> None:
    ports = set()
    with closing(http.client.HTTPConnection("127.0.0.1", otlp_receiver.http_port, timeout=2)) as connection:
        for _ in range(3):
            connection.request("POST", "/v1/traces", payload())
            assert connection.getresponse().read() == b""
            ports.add(connection.sock.getsockname()[1])
    assert (len(otlp_receiver.spans), len(ports)) == (3, 1)


def test_many_clients_are_served_at_once(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(delay=0.3)
    started = time.monotonic()
    with ThreadPoolExecutor(20) as clients:
        assert set(clients.map(lambda _: post(otlp_receiver, payload())[0], range(20))) == {200}
    assert (len(otlp_receiver.spans), time.monotonic() - started < 2) == (20, True)


@pytest.mark.parametrize(("body", "headers"), [(b"\xff\xff", {}), (b"plain", {"content_encoding": "gzip"})])
def test_what_is_no_otlp_is_refused(otlp_receiver: OtlpReceiver, body: bytes, headers: dict[str, Any]) -> None:
    assert (post(otlp_receiver, body, **headers)[0], otlp_receiver.spans) == (400, [])


def test_an_unknown_path_is_not_found(otlp_receiver: OtlpReceiver) -> None:
    assert post(otlp_receiver, b"", "profiles")[0] == 404


@pytest.mark.parametrize("status", [400, 413, 429, 500, 503])
def test_a_refusal_keeps_nothing_and_names_the_pause(otlp_receiver: OtlpReceiver, status: int) -> None:
    otlp_receiver.fault = Fault(status=status, retry_after="7")
    answered, headers, _ = post(otlp_receiver, payload())
    assert (answered, headers["retry-after"], otlp_receiver.spans) == (status, "7", [])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, grpc.StatusCode.INVALID_ARGUMENT),
        (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (500, grpc.StatusCode.INTERNAL),
        (503, grpc.StatusCode.UNAVAILABLE),
    ],
    ids=str,
)
def test_a_refusal_has_the_grpc_code_of_its_meaning(
    otlp_receiver: OtlpReceiver, call: Callable[..., Any], status: int, code: grpc.StatusCode
) -> None:
    otlp_receiver.fault = Fault(status=status)
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert (caught.value.code(), otlp_receiver.spans) == (code, [])


def test_a_grpc_refusal_names_the_pause(otlp_receiver: OtlpReceiver, call: Callable[..., Any]) -> None:
    otlp_receiver.fault = Fault(status=503, retry_after="7")
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    pause = RetryInfo()
    assert (status.details[0].Unpack(pause), pause.retry_delay.seconds) == (True, 7)


def test_a_partial_success_tells_how_many_and_why(otlp_receiver: OtlpReceiver, call: Callable[..., Any]) -> None:
    otlp_receiver.fault = Fault(rejected=3, message="too old")
    over_http = ExportTraceServiceResponse.FromString(post(otlp_receiver, payload())[2])
    for answer in (over_http, call()):
        assert (answer.partial_success.rejected_spans, answer.partial_success.error_message) == (3, "too old")


def test_a_black_hole_takes_the_request_and_never_answers(
    otlp_receiver: OtlpReceiver, call: Callable[..., Any]
) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    with pytest.raises(TimeoutError):
        post(otlp_receiver, payload(), timeout=0.2)
    with pytest.raises(grpc.RpcError) as caught:
        call(timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (len(otlp_receiver.requests), otlp_receiver.spans) == (2, [])


def test_a_slow_drip_lets_data_through_without_completing_the_answer(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(drip=True)
    with socket.create_connection(("127.0.0.1", otlp_receiver.http_port), timeout=2) as connection:
        body = payload()
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        assert connection.recv(100) == b"H"
    assert len(otlp_receiver.spans) == 1


def test_a_garbage_answer_is_no_protobuf(otlp_receiver: OtlpReceiver, call: Callable[..., Any]) -> None:
    otlp_receiver.fault = Fault(garbage=True)
    status, _, body = post(otlp_receiver, payload())
    assert (status, body) == (200, b"\xff\xfe not protobuf")
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_an_answer_is_cut_after_the_data_were_kept(otlp_receiver: OtlpReceiver, call: Callable[..., Any]) -> None:
    otlp_receiver.fault = Fault(cut=True)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(otlp_receiver, payload())
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert (caught.value.code(), len(otlp_receiver.spans)) == (grpc.StatusCode.UNAVAILABLE, 2)


def test_a_delayed_answer_comes_late(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(delay=0.2)
    started = time.monotonic()
    assert post(otlp_receiver, payload())[0] == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_fault_can_concern_one_signal_only(otlp_receiver: OtlpReceiver, signal: str) -> None:
    otlp_receiver.faults[signal] = Fault(status=503)
    assert {other: post(otlp_receiver, b"", other)[0] for other in SIGNALS} == {
        other: 503 if other == signal else 200 for other in SIGNALS
    }


def test_a_fault_ends_when_it_is_taken_away(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(status=503, signals=("traces", "logs"))
    assert [post(otlp_receiver, b"", signal)[0] for signal in SIGNALS] == [503, 200, 503]
    otlp_receiver.fault = None
    assert post(otlp_receiver, b"")[0] == 200


def test_an_outage_refuses_connections_and_ends_on_the_same_ports(otlp_receiver: OtlpReceiver) -> None:
    with otlp_receiver.away():
        for port in (otlp_receiver.http_port, otlp_receiver.grpc_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=1)
    assert post(otlp_receiver, payload())[0] == 200
    with socket.create_connection(("127.0.0.1", otlp_receiver.grpc_port), timeout=1):
        pass


def test_an_outage_cuts_open_connections_and_keeps_what_arrived(otlp_receiver: OtlpReceiver) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", otlp_receiver.http_port, timeout=2)) as connection:
        connection.request("POST", "/v1/traces", payload())
        connection.getresponse().read()
        with otlp_receiver.away():
            assert connection.sock.recv(1) == b""
    assert len(otlp_receiver.spans) == 1


def test_a_black_hole_does_not_delay_the_stop(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    with pytest.raises(TimeoutError):
        post(otlp_receiver, payload(), timeout=0.1)
    started = time.monotonic()
    otlp_receiver.stop()
    assert time.monotonic() - started < 2


@over_both
def test_a_stock_exporter_delivers_after_an_outage(
    otlp_receiver: OtlpReceiver, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = span_exporter(otlp_receiver, protocol)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    otlp_receiver.fault = Fault(status=503, retry_after="1" if protocol == "grpc" else None)
    with ThreadPoolExecutor(1) as worker:
        ended = worker.submit(lambda: provider.get_tracer("shop").start_span("work").end())
        while not otlp_receiver.requests:
            assert not ended.done()
            time.sleep(0.01)
        otlp_receiver.fault = None
        (span,) = otlp_receiver.wait_for_spans(1)
    provider.shutdown()
    assert span["name"] == "work"


def test_a_span_delivered_twice_is_a_duplicate(otlp_receiver: OtlpReceiver) -> None:
    post(otlp_receiver, payload())
    assert otlp_receiver.duplicates == []
    post(otlp_receiver, payload())
    assert otlp_receiver.duplicates == [SPAN.hex()]


def test_waiting_for_spans_returns_what_the_predicate_does(otlp_receiver: OtlpReceiver) -> None:
    post(otlp_receiver, payload("found"))
    assert otlp_receiver.wait_for_spans(lambda spans: [span["name"] for span in spans]) == ["found"]


def test_waiting_in_vain_for_spans_fails(otlp_receiver: OtlpReceiver) -> None:
    with pytest.raises(AssertionError, match="the last answer was"):
        otlp_receiver.wait_for_spans(1, timeout=0.05)


def test_clear_forgets_data_and_requests(otlp_receiver: OtlpReceiver) -> None:
    post(otlp_receiver, payload())
    otlp_receiver.clear()
    assert (otlp_receiver.spans, otlp_receiver.requests) == ([], [])
