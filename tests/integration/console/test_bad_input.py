"""Whatever comes in, the console answers what is right, keeps what it has and stays up."""

import gzip
import json
import socket
import threading
import time

import grpc  # type: ignore[import-untyped] # grpcio ships no types
import httpx
import psutil
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mita_otel.console.receive.body import LIMIT
from tests.fixtures.bombs import gzip_bomb
from tests.fixtures.otlp_requests import enclosed, nested_attribute, span, span_id, trace_id, traces, with_attribute
from tests.integration.console.conftest import PROTOBUF, Console

JSON = {"content-type": "application/json"}
GZIP = {**PROTOBUF, "content-encoding": "gzip"}
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
NOW = time.time_ns() // 1000
_CHUNKED = (
    b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def refused(answer: httpx.Response) -> int:
    """Return how many spans an answer says were refused."""
    assert answer.status_code == 200
    return int(ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans)


def fresh(console: Console) -> None:
    """Check that the console still takes spans in."""
    before = console.count()
    assert console.post("traces", traces(span())).status_code == 200
    assert console.count() == before + 1


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (PROTOBUF, traces(span()).SerializeToString()[:-3], 400),
        (PROTOBUF, bytes(LIMIT + 1), 413),
        (PROTOBUF, bytes(3 * LIMIT), 413),
        ({"content-type": "text/plain"}, b"hello", 415),
        ({**PROTOBUF, "content-encoding": "br"}, b"hello", 415),
        (GZIP, gzip_bomb(1024), 413),
        (GZIP, gzip.compress(traces(span()).SerializeToString())[:-9], 400),
        (JSON, b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\xff"}]}]}]}', 400),
        (JSON, b"[" * 1_000_000, 400),
        (JSON, b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, 400),
    ],
    ids=["cut", "huge", "huger", "text", "brotli", "bomb", "cut-gzip", "json-utf8", "json-lists", "json-objects"],
)
def test_what_cannot_be_read_is_refused(console: Console, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = console.post("traces", body, headers)
    assert answer.status_code == status
    is_json = answer.headers["content-type"] == "application/json"
    assert answer.json()["message"] if is_json else Status.FromString(answer.content).message
    assert console.count() == 0
    fresh(console)


def test_a_body_without_end_is_cut_off(console: Console) -> None:
    host, port = console.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(_CHUNKED)
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        assert _sent(connection, chunk, 1000) < 1000
    fresh(console)


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ", b"a" * 65536),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"a: b\r\n" * 10_000),
        (_CHUNKED + b"1\r\n\n\r\n0\r\n", b"trailer: b\r\n" * 10_000),
    ],
    ids=["value", "headers", "trailers"],
)
def test_headers_without_end_are_cut_off(console: Console, beginning: bytes, more: bytes) -> None:
    host, port = console.http.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(beginning)
        assert _sent(connection, more, 1000) < 1000
    assert psutil.Process(console.process.pid).memory_info().rss < 150 * 1024 * 1024
    fresh(console)


def test_a_body_in_chunks_of_a_byte_is_a_body(console: Console) -> None:
    body = traces(span(text="x" * 50_000)).SerializeToString()
    headers = {**PROTOBUF, "transfer-encoding": "chunked"}
    answer = httpx.post(
        f"{console.http}/v1/traces", content=(bytes([byte]) for byte in body), headers=headers, timeout=60
    )
    assert answer.status_code == 200
    assert console.count() == 1


def _sent(connection: socket.socket, chunk: bytes, most: int) -> int:
    """Send a chunk again and again until the other side has had enough, and return how often."""
    for number in range(most):
        try:
            connection.sendall(chunk)
        except OSError:
            return number
    return most


def test_malformed_items_cost_themselves_alone(console: Console) -> None:
    bad = [
        span("NAME").SerializeToString().replace(b"NAME", b"N\xffME"),
        span(colour="RED!").SerializeToString().replace(b"RED!", b"R\xffD!"),
        with_attribute(span().SerializeToString(), nested_attribute(3000)),
        span(trace=bytes(16)).SerializeToString(),
        span(own=bytes(8)).SerializeToString(),
        span(trace=b"").SerializeToString(),
    ]
    body = enclosed(
        *bad, span("good").SerializeToString(), with_attribute(span("good").SerializeToString(), nested_attribute(5))
    )
    assert refused(console.post("traces", body)) == len(bad)
    assert console.rows("SELECT name FROM operations JOIN spans ON operation = operations.id") == ["good", "good"]


def test_absurd_but_well_formed_spans_are_kept(console: Console) -> None:
    trace = trace_id()
    spans = [
        span("backwards", trace=trace, duration=-10_000),
        span("from the future", trace=trace, start=NOW + 10**15),
        span("from the past", trace=trace, start=0),
        span("of many attributes", trace=trace, attributes={f"key{number}": "x" * 10 for number in range(10_000)}),
        span("orphan", trace=trace, parent=span_id()),
        (twin := span("twin", trace=trace)),
        twin,
    ]
    assert refused(console.post("traces", traces(*spans))) == 0
    assert console.rows(
        "SELECT duration FROM spans JOIN operations ON operations.id = operation WHERE name = 'backwards'"
    ) == [0]
    answer = httpx.get(f"{console.page}/api/traces/{trace.hex()}", timeout=30)
    assert answer.status_code == 200
    names = {one["operationName"] for one in answer.json()["data"][0]["spans"]}
    assert names == {one.name for one in spans}


def test_json_is_taken_with_its_differences(console: Console) -> None:
    fields = {
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": str(NOW * 1000), "endTimeUnixNano": NOW * 1000 + 5000, "name": "GET /", "future": [{}],
        "attributes": [{"key": "raw", "value": {"bytesValue": "AP8="}}, {"key": "n", "value": {"intValue": "7"}}],
    }  # fmt: skip
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]})
    answer = console.post("traces", body, JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert console.rows("SELECT hex(trace), start, duration FROM spans") == [
        ("5B8EFFF798038103D269B633813FC60C", NOW, 5)
    ]
    assert console.rows("SELECT name, kind FROM operations") == [("GET /", 2)]


def call(console: Console, body: bytes, **options: object) -> bytes:
    with grpc.insecure_channel(
        console.grpc.removeprefix("http://"), options=[("grpc.max_send_message_length", -1)]
    ) as channel:
        answer = channel.unary_unary(EXPORT)(body, timeout=60, **options)
        assert isinstance(answer, bytes)
        return answer


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        (traces(span()).SerializeToString()[:-3], None, grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(LIMIT + 1), None, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (bytes(10 * LIMIT), grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["cut", "huge", "bomb"],
)
def test_what_cannot_be_read_over_grpc_is_refused_for_good(
    console: Console, body: bytes, compression: object, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        call(console, body, compression=compression)
    assert error.value.code() == code
    details = dict(error.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    assert not Status.FromString(details).details, "a client would send it again"
    fresh(console)


def test_malformed_items_over_grpc_cost_themselves_alone(console: Console) -> None:
    body = enclosed(span(trace=bytes(16)).SerializeToString(), span().SerializeToString())
    assert ExportTraceServiceResponse.FromString(call(console, body)).partial_success.rejected_spans == 1
    assert console.count() == 1


def test_a_flood_of_bombs_takes_bounded_memory(console: Console) -> None:
    bomb = gzip_bomb(512)
    threads = [threading.Thread(target=console.post, args=("traces", bomb, GZIP)) for _ in range(16)]
    for thread in threads:
        thread.start()
    process, peak = psutil.Process(console.process.pid), 0
    for thread in threads:
        while thread.is_alive():
            peak = max(peak, process.memory_info().rss)
            thread.join(0.02)
    assert 0 < peak < 200 * 1024 * 1024
    fresh(console)
