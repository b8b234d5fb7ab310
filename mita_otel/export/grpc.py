"""OTLP over gRPC: unary calls with ready bytes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf ships no types
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # no types shipped
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no types shipped

from mita_otel.endpoint import OtlpEndpoint, Signal
from mita_otel.export.answer import accepted, one_line
from mita_otel.export.sender import Outcome, Refused, Retry

METHODS: Final[dict[Signal, str]] = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
RETRYABLE_CODES: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Codes after which the same payload may be sent again; RESOURCE_EXHAUSTED joins them when it carries RetryInfo.

Source: OTLP specification, "Failures" under OTLP/gRPC.
"""

_OPTIONS: Final = (
    # The channel's own back-off (to two minutes) would answer our attempts with old failures: ours is the only one.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # One connection a sender, so that closing one signal leaves the others alone.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 64 * 1024),
)


class GrpcSender:
    """Sends payloads by the signal's `Export` method."""

    def __init__(self, endpoint: OtlpEndpoint, signal: Signal) -> None:
        self._endpoint = endpoint
        self._method = METHODS[signal]
        self._credentials = None if endpoint.insecure else _credentials(endpoint)
        self._compression = grpc.Compression.Gzip if endpoint.compression == "gzip" else grpc.Compression.NoCompression
        self._channel: grpc.Channel | None = None
        self._inherited: list[grpc.Channel] = []
        self._pid = os.getpid()

    @property
    def destination(self) -> str:
        """The target, `host:port`."""
        return self._endpoint.destination

    def send(self, payload: bytes, timeout: float) -> Outcome:
        """Call once with `timeout` seconds as the call's deadline."""
        try:
            call = self._connected().unary_unary(self._method)  # no serialisers: bytes go out and come back
            answer = call(payload, timeout=timeout, metadata=self._endpoint.headers, compression=self._compression)
        except grpc.RpcError as error:
            return _failure(error)
        except ValueError:  # what grpc raises on a channel that was closed meanwhile
            return Retry("channel closed")
        return accepted(answer)

    def close(self) -> None:
        """Close the channel, which cancels a running call at once."""
        channel, self._channel = self._channel, None
        if channel is not None and self._pid == os.getpid():
            channel.close()

    def _connected(self) -> grpc.Channel:
        if self._pid != os.getpid():
            if self._channel is not None:
                # Destroying a channel of the parent would wait for threads that this process does not have.
                self._inherited.append(self._channel)
            self._channel, self._pid = None, os.getpid()
        if self._channel is None:
            self._channel = (
                grpc.insecure_channel(self._endpoint.url, _OPTIONS)
                if self._credentials is None
                else grpc.secure_channel(self._endpoint.url, self._credentials, _OPTIONS)
            )
        return self._channel


def _credentials(endpoint: OtlpEndpoint) -> grpc.ChannelCredentials:
    authorities, key, chain = (
        Path(file).read_bytes() if file else None
        for file in (endpoint.certificate, endpoint.client_key, endpoint.client_certificate)
    )
    return grpc.ssl_channel_credentials(authorities, key, chain)


def _failure(error: grpc.RpcError) -> Outcome:
    code, details = error.code(), one_line(error.details() or "")
    after = retry_delay(error.trailing_metadata() or ())
    reason = f"gRPC {code.name}"
    if code is grpc.StatusCode.UNAVAILABLE and "refused" in details:
        reason = "connection refused"
    if code in RETRYABLE_CODES or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and after is not None):
        return Retry(reason, after)
    return Refused(reason, _is_divisible(code, details))


def _is_divisible(code: grpc.StatusCode, details: str) -> bool:
    match code:
        case grpc.StatusCode.INVALID_ARGUMENT:
            return True
        # Codes that have other meanings, too: only the text tells a message too large from a spent quota, and one that
        # could not be parsed from a receiver's own fault.
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return "larger than max" in details
        case grpc.StatusCode.INTERNAL:
            return "unmarshal" in details
        case _:
            return False


def retry_delay(metadata: Sequence[tuple[str, str | bytes]]) -> float | None:
    """Find `google.rpc.RetryInfo` in a call's trailing metadata; return its delay in seconds.

    It comes inside the standard status details, or alone under its own key as some receivers send it.
    """
    trailers = {key: value for key, value in metadata if isinstance(value, bytes)}
    found = RetryInfo()
    try:
        status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
        present = any(detail.Unpack(found) for detail in status.details)
        if not present and "google.rpc.retryinfo-bin" in trailers:
            found = RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
            present = True
    except DecodeError:
        return None
    if not present:
        return None
    return max(float(found.retry_delay.seconds + found.retry_delay.nanos / 1e9), 0.0)
