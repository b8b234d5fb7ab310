import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.overhead.neighbours.sink import Sink
from benchmarks.overhead.neighbours.wire import Request, parse
from benchmarks.overhead.received import Body, bodies


def _post(path: str, body: bytes, **headers: str) -> Request:
    return Request(path, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_a_request_without_a_body_ends_with_its_head() -> None:
    assert parse(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET") == (Request("/a", {"host": "x"}, b""), b"GET")


@given(st.binary(max_size=50), st.binary(max_size=20))
def test_a_body_is_as_long_as_its_head_says(body: bytes, after: bytes) -> None:
    head = f"POST /v1/traces HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    found = parse(head + body + after)
    assert found is not None
    assert (found[0].body, found[1]) == (body, after)


@given(st.lists(st.binary(min_size=1, max_size=20)), st.binary(max_size=20))
def test_chunks_are_joined(chunks: list[bytes], after: bytes) -> None:
    data = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks) + b"0\r\n\r\n"
    found = parse(b"PUT /v0.5/traces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + data + after)
    assert found is not None
    assert (found[0].body, found[1]) == (b"".join(chunks), after)


@given(st.binary(max_size=30), st.booleans(), st.data())
def test_a_request_that_is_not_all_there_is_waited_for(body: bytes, chunked: bool, data: st.DataObject) -> None:  # noqa: FBT001 - drawn
    whole = (
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b"")
        + b"0\r\n\r\n"
        if chunked
        else f"PUT / HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    assert parse(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(st.lists(st.tuples(st.sampled_from(["/v1/traces", "/v1/logs", "/v0.5/traces"]), st.binary(max_size=50))))
def test_bodies_are_taken_as_they_came_and_once(sent: list[tuple[str, bytes]]) -> None:
    sink = Sink()
    for path, body in sent:
        sink.handle(_post(path, body))
    assert list(bodies(sink.handle(_post("/taken", b"")).body)) == [Body(path, body) for path, body in sent]
    assert sink.handle(_post("/taken", b"")).body == b""


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies_are_read(encoding: str, compress: "type[bytes]") -> None:
    sink = Sink()
    sink.handle(_post("/v1/traces", compress(b"spans"), content_encoding=encoding))
    assert list(bodies(sink.handle(_post("/taken", b"")).body)) == [Body("/v1/traces", b"spans")]


def test_a_compression_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="br"):
        list(bodies(b'{"path": "/v1/traces", "encoding": "br", "size": 1}\nx'))


def test_a_body_that_is_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="4 bytes of a body are missing"):
        list(bodies(b'{"path": "/v1/traces", "encoding": "", "size": 5}\nx'))


def test_metrics_do_not_keep_a_delivery_from_being_over() -> None:
    sink = Sink()
    sink.handle(_post("/v1/metrics", b""))
    assert sink.last == 0.0
    sink.handle(_post("/v1/logs", b""))
    assert sink.last > 0.0


def test_an_agent_says_that_it_takes_traces() -> None:
    assert "/v0.5/traces" in json.loads(Sink().handle(_post("/info", b"")).body)["endpoints"]
