"""The wait that a gRPC receiver asks for is found where receivers put it."""

import pytest
from google.protobuf.any_pb2 import Any as Packed  # type: ignore[import-untyped]  # protobuf ships no types
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]  # protobuf ships no types
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]  # no types shipped
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no types shipped
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.export.grpc import retry_delay

INFO = RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))


def packed(*details: object) -> bytes:
    status = Status()
    for detail in details:
        container = Packed()
        container.Pack(detail)
        status.details.append(container)
    encoded: bytes = status.SerializeToString()
    return encoded


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ([], None),
        ([("grpc-status-details-bin", packed(ErrorInfo(reason="QUOTA"), INFO))], 2.5),
        ([("grpc-status-details-bin", packed(ErrorInfo(reason="QUOTA")))], None),
        ([("google.rpc.retryinfo-bin", INFO.SerializeToString())], 2.5),
        ([("grpc-status-details-bin", b"\xff\xff")], None),
        ([("retry-after", "7")], None),
    ],
)
def test_retry_info_is_read_from_the_trailers(metadata: list[tuple[str, str | bytes]], seconds: float | None) -> None:
    assert retry_delay(metadata) == seconds


@given(st.binary(max_size=100))
def test_no_trailer_raises(value: bytes) -> None:
    delay = retry_delay([("grpc-status-details-bin", value), ("google.rpc.retryinfo-bin", value)])
    assert delay is None or delay >= 0
