"""What a receiver's answer means: pure judgement over status, headers and body, by the rules of OTLP."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from mita_otel.export.sender import Accepted, Outcome, Refused, Retry

RETRYABLE_STATUS: Final = frozenset({429, 502, 503, 504})
"""HTTP statuses after which the same payload may be sent again.

Source: OTLP specification, "Retryable Response Codes".
"""

_OK: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)
_DIVISIBLE: Final = frozenset({400, 413})
"""Malformed, and too large, for which the Collector answers 400, too."""
_MESSAGE_LIMIT: Final = 200


def judge(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Outcome:
    """Turn an HTTP answer into an outcome.

    Args:
        status: 100 to 599.
        headers: Names in lower case.
        body: As much of it as was read.
        now: Seconds since the epoch, for a `Retry-After` that is a date.
    """
    if status in _OK:
        return accepted(body)
    reason = f"HTTP {status}"
    if status in RETRYABLE_STATUS:
        return Retry(reason, retry_after(headers.get("retry-after"), now))
    if status in _REDIRECT:
        return Refused(f"{reason}, redirects are not followed")
    return Refused(reason, divisible=status in _DIVISIBLE)


def accepted(body: bytes) -> Accepted:
    """Read the partial success out of a success answer of any signal.

    The three signals' answers differ in field names only, not in numbers, so one type reads them all. Bytes that are
    none of them still mean success: the status said so, and sending again would double what was delivered.
    """
    if not body:
        return Accepted()
    # Receivers that are content say nothing, so most processes never need the classes: 17 ms, 5 MB.
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # noqa: PLC0415 - no types are shipped
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: PLC0415 - as above

    try:
        partial = trace_service_pb2.ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return Accepted(message="the answer is not an OTLP response")
    return Accepted(max(partial.rejected_spans, 0), one_line(partial.error_message))


def retry_after(value: str | None, now: float) -> float | None:
    """Read `Retry-After`, seconds or an HTTP date, as seconds from now; None if absent or not understood."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def one_line(text: str) -> str:
    """Make a stranger's text fit for a log line: printable, at most 200 characters."""
    return "".join(character if character.isprintable() else " " for character in text[:_MESSAGE_LIMIT])
