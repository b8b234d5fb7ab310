"""A receiver's answer is judged by the rules of OTLP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mita_otel.export import Accepted, Refused, Retry
from mita_otel.export.answer import accepted, judge, one_line, retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def test_an_empty_success_is_accepted() -> None:
    assert judge(200, {}, b"", NOW) == Accepted()


@pytest.mark.parametrize(
    ("response", "rejected"),
    [
        (ExportTraceServiceResponse(), "rejected_spans"),
        (ExportLogsServiceResponse(), "rejected_log_records"),
        (ExportMetricsServiceResponse(), "rejected_data_points"),
    ],
)
def test_a_partial_success_of_any_signal_is_read(response: ExportTraceServiceResponse, rejected: str) -> None:
    setattr(response.partial_success, rejected, 3)
    response.partial_success.error_message = "too\nold"
    assert judge(200, {}, response.SerializeToString(), NOW) == Accepted(3, "too old")


@given(st.binary(max_size=300))
def test_no_bytes_turn_success_into_failure(body: bytes) -> None:
    assert accepted(body).rejected_items >= 0


def test_garbage_is_success_with_a_warning() -> None:
    assert judge(200, {}, b"\xff\xfe<html>", NOW) == Accepted(0, "the answer is not an OTLP response")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_these_statuses_and_only_these_are_tried_again(status: int) -> None:
    assert judge(status, {"retry-after": "7"}, b"", NOW) == Retry(f"HTTP {status}", 7.0)


@pytest.mark.parametrize("status", [401, 403, 404, 408, 500, 501])
def test_other_errors_are_refusals(status: int) -> None:
    assert judge(status, {}, b"", NOW) == Refused(f"HTTP {status}")


@pytest.mark.parametrize("status", [400, 413])
def test_what_is_malformed_or_too_large_is_refused_as_a_whole_only(status: int) -> None:
    assert judge(status, {}, b"", NOW) == Refused(f"HTTP {status}", divisible=True)


def test_a_redirect_is_a_refusal() -> None:
    assert judge(307, {"location": "http://elsewhere"}, b"", NOW) == Refused("HTTP 307, redirects are not followed")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-4", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("Tue, 14 Nov 99999 22:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_retry_after_never_raises_and_is_never_negative(value: str) -> None:
    assert (retry_after(value, NOW) or 0.0) >= 0.0


@given(st.text())
def test_a_message_is_one_short_printable_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 200
    assert line.isprintable()
