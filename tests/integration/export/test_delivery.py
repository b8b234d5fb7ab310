"""Whatever a receiver does, spans arrive once or are counted, and nobody waits for it."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.fixtures.otlp_receiver import Fault, OtlpReceiver
from tests.fixtures.polling import eventually
from tests.integration.export.conftest import PACE, Tracing

MakeTracing = Callable[..., Tracing]


def names(receiver: OtlpReceiver) -> list[str]:
    return [span["name"] for span in receiver.spans]


def test_spans_arrive_in_order(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    sent = tracing.spans(500)
    assert tracing.processor.force_flush(10_000)
    assert names(otlp_receiver) == sent


def test_an_outage_loses_nothing_and_doubles_nothing(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    sent = tracing.spans(100, "before")
    assert tracing.processor.force_flush(10_000)
    otlp_receiver.stop()
    sent += tracing.spans(300, "during")
    eventually(lambda: tracing.processor.statistics().retries >= 3)
    otlp_receiver.start()
    sent += tracing.spans(100, "after")
    eventually(lambda: len(otlp_receiver.spans) >= 500)
    assert names(otlp_receiver) == sent
    assert otlp_receiver.duplicates == []
    assert tracing.processor.statistics().lost == 0


@pytest.mark.parametrize("status", [503, 429])
def test_a_receiver_that_is_busy_gets_the_same_spans_again(
    status: int, http_tracing: MakeTracing, otlp_receiver: OtlpReceiver
) -> None:
    tracing = http_tracing()
    otlp_receiver.fault = Fault(status=status)
    sent = tracing.spans(10)
    eventually(lambda: tracing.processor.statistics().retries >= 2)
    otlp_receiver.fault = None
    eventually(lambda: names(otlp_receiver) == sent)


def test_a_grpc_receiver_that_is_unavailable_gets_the_same_spans_again(
    tracing: Tracing, otlp_receiver: OtlpReceiver
) -> None:
    otlp_receiver.fault = Fault(status=503)
    sent = tracing.spans(10)
    eventually(lambda: tracing.processor.statistics().retries >= 2)
    otlp_receiver.fault = None
    eventually(lambda: names(otlp_receiver) == sent)


def test_retry_after_is_waited(http_tracing: MakeTracing, otlp_receiver: OtlpReceiver) -> None:
    tracing = http_tracing()
    otlp_receiver.fault = Fault(status=503, retry_after="1")
    tracing.spans(1)
    eventually(lambda: otlp_receiver.requests)
    otlp_receiver.fault = None
    eventually(lambda: len(otlp_receiver.requests) == 2)
    first, second = otlp_receiver.requests
    assert 1.0 <= second.at - first.at < 3.0


def test_retry_info_is_waited_over_grpc(
    endpoint_of: Callable[[str], dict[str, str]], otlp_receiver: OtlpReceiver
) -> None:
    tracing = Tracing(endpoint_of("grpc"), PACE)
    otlp_receiver.fault = Fault(status=429, retry_after="1")
    tracing.spans(1)
    eventually(lambda: otlp_receiver.requests)
    otlp_receiver.fault = None
    eventually(lambda: len(otlp_receiver.requests) == 2)
    first, second = otlp_receiver.requests
    assert 1.0 <= second.at - first.at < 3.0
    tracing.processor.close(0)


def test_a_refused_batch_is_counted_and_the_next_one_arrives(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(status=400)
    tracing.spans(10, "refused")
    assert not tracing.processor.force_flush(5000)
    otlp_receiver.fault = None
    sent = tracing.spans(10, "taken")
    assert tracing.processor.force_flush(5000)
    assert names(otlp_receiver) == sent
    assert tracing.processor.statistics().refused == 10


def test_resource_exhausted_without_retry_info_is_a_refusal(
    endpoint_of: Callable[[str], dict[str, str]], otlp_receiver: OtlpReceiver
) -> None:
    tracing = Tracing(endpoint_of("grpc"), PACE)
    otlp_receiver.fault = Fault(status=429)
    tracing.spans(3)
    assert not tracing.processor.force_flush(5000)
    assert tracing.processor.statistics().refused == 3
    tracing.processor.close(0)


def test_partial_success_is_counted(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(rejected=4)
    tracing.spans(10)
    assert not tracing.processor.force_flush(5000)
    statistics = tracing.processor.statistics()
    assert (statistics.accepted, statistics.rejected) == (6, 4)


def test_success_with_a_garbage_body_is_success(
    http_tracing: MakeTracing, otlp_receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    tracing = http_tracing()
    otlp_receiver.fault = Fault(garbage=True)
    tracing.spans(10)
    assert tracing.processor.force_flush(5000)
    assert otlp_receiver.duplicates == []
    assert "accepted with a warning: the answer is not an OTLP response" in caplog.text


def test_an_answer_cut_after_its_status_counts_as_its_status(
    http_tracing: MakeTracing, otlp_receiver: OtlpReceiver
) -> None:
    tracing = http_tracing()
    otlp_receiver.fault = Fault(cut=True)
    sent = tracing.spans(3)
    assert tracing.processor.force_flush(5000)
    otlp_receiver.fault = None
    sent += tracing.spans(3, "next")
    assert tracing.processor.force_flush(5000)
    assert names(otlp_receiver) == sent


def test_a_dripping_answer_ends_within_the_timeout(http_tracing: MakeTracing, otlp_receiver: OtlpReceiver) -> None:
    # A byte a second would be 38 s, and each of them in time for a timeout that counts from the last byte.
    tracing = http_tracing(PACE.replace(attempt_timeout=1.5))
    otlp_receiver.fault = Fault(drip=True)
    tracing.spans(1)
    started = time.monotonic()
    eventually(lambda: tracing.processor.statistics().retries >= 1)
    assert 1.4 <= time.monotonic() - started < 2.5


def test_a_black_hole_does_not_hold_close_beyond_its_deadline(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    tracing.spans(100)
    eventually(lambda: otlp_receiver.requests)
    started = time.monotonic()
    closed = tracing.processor.close(0.5)
    assert time.monotonic() - started < 0.7
    assert closed.left == 100


def test_a_black_hole_does_not_slow_the_application(tracing: Tracing, otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    tracing.spans(100)
    eventually(lambda: otlp_receiver.requests)
    ended = tracing.tracer.start_span("span")
    ended.end()
    started = time.perf_counter()
    for _ in range(10_000):
        tracing.processor.on_end(ended)  # type: ignore[arg-type]  # the SDK's span is readable
    assert (time.perf_counter() - started) / 10_000 < 50e-6


def test_a_payload_that_is_too_large_arrives_in_pieces(
    http_tracing: MakeTracing, otlp_receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing = http_tracing()
    answer = otlp_receiver.fault_for

    def limited(signal: str) -> Fault:
        return Fault(status=413) if otlp_receiver.requests[-1].size > 2000 else answer(signal)

    monkeypatch.setattr(otlp_receiver, "fault_for", limited)
    sent = tracing.spans(50)
    assert tracing.processor.force_flush(5000)
    assert names(otlp_receiver) == sent


def test_headers_and_compression_are_sent(http_tracing: MakeTracing, otlp_receiver: OtlpReceiver) -> None:
    tracing = http_tracing(headers="authorization=Bearer%20token", compression="gzip")
    sent = tracing.spans(50)
    assert tracing.processor.force_flush(5000)
    headers = otlp_receiver.requests[0].headers
    assert (headers["authorization"], headers["content-encoding"]) == ("Bearer token", "gzip")
    assert names(otlp_receiver) == sent


def test_grpc_compression_works(endpoint_of: Callable[[str], dict[str, str]], otlp_receiver: OtlpReceiver) -> None:
    environment = endpoint_of("grpc") | {
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue",
    }
    tracing = Tracing(environment, PACE)
    sent = tracing.spans(50)
    assert tracing.processor.force_flush(5000)
    assert names(otlp_receiver) == sent
    tracing.processor.close(1)


def test_no_socket_is_left_open_after_close(http_tracing: MakeTracing, otlp_receiver: OtlpReceiver) -> None:
    tracing = http_tracing()
    tracing.spans(1)
    tracing.processor.close(5)
    del tracing
    gc.collect()  # a socket left open would be a ResourceWarning, and warnings are errors


def test_trouble_is_told_once_without_a_traceback(
    tracing: Tracing, otlp_receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "mita_otel.export")
    otlp_receiver.stop()
    tracing.spans(10)
    eventually(lambda: tracing.processor.statistics().retries >= 4)
    otlp_receiver.start()
    assert tracing.processor.force_flush(5000)
    lines = [record for record in caplog.records if record.name == "mita_otel.export"]
    assert [record.levelname for record in lines] == ["WARNING", "INFO"]
    assert "connection refused" in lines[0].getMessage()
    assert all(record.exc_info is None for record in lines)


PROGRAM = """
import os, sys
sys.path.insert(0, ".")
from tests.integration.export.conftest import PACE, Tracing
tracing = Tracing({"OTEL_EXPORTER_OTLP_PROTOCOL": sys.argv[1], "OTEL_EXPORTER_OTLP_ENDPOINT": sys.argv[2]}, PACE)
if sys.argv[3] == "connected":
    tracing.spans(5, "parent")
    assert tracing.processor.force_flush(5000)
child = os.fork()
tracing.spans(5, "child" if child == 0 else "parent-again")
left = tracing.processor.close(5).left
if child == 0:
    os._exit(left)
sys.exit(left + os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(
    ("protocol", "state"), [("http/protobuf", "connected"), ("http/protobuf", "new"), ("grpc", "new")]
)
def test_parent_and_forked_child_both_deliver(
    protocol: str, state: str, endpoint_of: Callable[[str], dict[str, str]], otlp_receiver: OtlpReceiver
) -> None:
    address = endpoint_of(protocol)["OTEL_EXPORTER_OTLP_ENDPOINT"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, protocol, address, state],
        timeout=30,
        check=False,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = {"child": 5, "parent-again": 5} | ({"parent": 5} if state == "connected" else {})
    assert otlp_receiver.duplicates == []
    assert {
        prefix: sum(
            name.startswith(f"{prefix}-") and name[len(prefix) + 1 :].isdigit() for name in names(otlp_receiver)
        )
        for prefix in expected
    } == expected
