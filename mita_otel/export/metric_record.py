"""Metrics in OTLP's wire format, written directly: no protobuf classes are loaded for it, nor built for each point.

Source: opentelemetry/proto/metrics/v1/metrics.proto; what is written and left out is what the official encoder writes
and leaves out, but for the time of a point that is as young as its series (see `_times`).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from struct import error as StructError  # noqa: N812 - as other exceptions are spelt
from struct import pack
from typing import Any, Final

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)

from mita_otel.export.wire import Envelopes, Piece, attributes, double, fixed64, framed, join, text, varint
from mita_otel.export.wire.envelope import RECORD

_UNFIT: Final = (ValueError, TypeError, OverflowError, RecursionError, StructError)
"""What is raised for a point that OTLP has no form for: a number beyond 64 bits, a text that is none."""

_MILLISECOND: Final = 1_000_000
_COLLECTING: Final = 1_000_000_000
"""Nanoseconds that a collection is believed to take: what is older still was measured by a clock that was set back."""


def encode_metrics(data: MetricsData) -> tuple[bytes, int]:
    """Return the export request of a collection, and the number of its points that OTLP has no form for.

    Requests are let in between two metrics: the whole takes 8 ms for 1,000 series, for which they would have to wait.
    """
    envelopes = Envelopes()
    pieces: list[Piece] = []
    lost = 0
    for of_resource in data.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            whose = envelopes.of(of_resource.resource, of_scope.scope)
            for metric in of_scope.metrics:
                record, unfit = encode_metric(metric)
                pieces.append((whose, record))
                lost += unfit
                time.sleep(0)
    return join(pieces), lost


def encode_metric(metric: Metric) -> tuple[bytes, int]:
    """Return a metric as a field of its scope, and the number of its points that OTLP has no form for."""
    kind = _KINDS.get(type(metric.data))
    if kind is None:
        return b"", 0
    tag, encode = kind
    points, lost = _points(metric.data.data_points, encode)
    named = (b"\x0a" + text(metric.name), _text(b"\x12", metric.description), _text(b"\x1a", metric.unit))
    return RECORD + framed(b"".join((*named, tag, framed(points + _shared(metric.data))))), lost


def _points(points: Iterable[Any], encode: Callable[[Any], bytes]) -> tuple[bytes, int]:
    fields: list[bytes] = []
    lost = 0
    for point in points:
        try:
            fields.append(b"\x0a" + framed(encode(point)))
        except _UNFIT:
            lost += 1
    return b"".join(fields), lost


def _shared(data: Any) -> bytes:
    """Return what the points of a metric have in common."""
    if isinstance(data, Gauge):
        return b""
    temporality = b"\x10" + varint(int(data.aggregation_temporality))
    return temporality + b"\x18\x01" if isinstance(data, Sum) and data.is_monotonic else temporality


def _number(point: NumberDataPoint) -> bytes:
    return b"".join(
        (
            *attributes(b"\x3a", (point.attributes or {}).items())[0],
            *_times(point),
            _either(b"\x21", b"\x31", point.value),
            *_exemplars(b"\x2a", point.exemplars),
        )
    )


def _histogram(point: HistogramDataPoint) -> bytes:
    return b"".join(
        (
            *attributes(b"\x4a", (point.attributes or {}).items())[0],
            *_times(point),
            _time(b"\x21", point.count),
            b"\x29" + double(point.sum),
            _packed(b"\x32", "Q", point.bucket_counts),
            _packed(b"\x3a", "d", point.explicit_bounds),
            *_exemplars(b"\x42", point.exemplars),
            b"\x59" + double(point.min),
            b"\x61" + double(point.max),
        )
    )


def _exponential(point: ExponentialHistogramDataPoint) -> bytes:
    return b"".join(
        (
            *attributes(b"\x0a", (point.attributes or {}).items())[0],
            *_times(point),
            _time(b"\x21", point.count),
            b"\x29" + double(point.sum),
            _zigzag(b"\x30", point.scale),
            _time(b"\x39", point.zero_count),
            _buckets(b"\x42", point.positive),
            _buckets(b"\x4a", point.negative),
            b"\x50" + varint(point.flags) if point.flags else b"",
            *_exemplars(b"\x5a", point.exemplars),
            b"\x61" + double(point.min),
            b"\x69" + double(point.max),
        )
    )


def _exemplars(tag: bytes, exemplars: Iterable[Exemplar]) -> list[bytes]:
    return [tag + framed(_exemplar(exemplar)) for exemplar in exemplars]


def _exemplar(exemplar: Exemplar) -> bytes:
    ids = b""
    if exemplar.span_id is not None and exemplar.trace_id is not None:
        ids = b"\x22\x08" + exemplar.span_id.to_bytes(8, "big") + b"\x2a\x10" + exemplar.trace_id.to_bytes(16, "big")
    return b"".join(
        (
            *attributes(b"\x3a", (exemplar.filtered_attributes or {}).items())[0],
            _time(b"\x11", exemplar.time_unix_nano),
            _either(b"\x19", b"\x31", exemplar.value),
            ids,
        )
    )


def _either(floating: bytes, integer: bytes, value: float) -> bytes:
    """Return a value as what it is; it is written also when it is 0."""
    return integer + pack("<q", value) if isinstance(value, int) else floating + double(value)


def _times(point: NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint) -> tuple[bytes, bytes]:
    """Return when a point's series began, and when the point was collected: a millisecond later at least.

    Prometheus counts in milliseconds. What began in the one in which it was collected has no zero to have risen from,
    so its first value would be in no increase for ever. A collection that is under way may be older still than a
    series that begins meanwhile; a clock that was set back is older by more, and is left alone.
    """
    start, collected = point.start_time_unix_nano, point.time_unix_nano
    if start and 0 < (early := start + _MILLISECOND - collected) <= _COLLECTING:
        collected += early
    return _time(b"\x11", start), _time(b"\x19", collected)


def _time(tag: bytes, number: int | None) -> bytes:
    """Return a `fixed64`; 0 and None are not written."""
    return tag + fixed64(number) if number else b""


def _text(tag: bytes, value: str | None) -> bytes:
    return tag + text(value) if value else b""


def _packed(tag: bytes, kind: str, numbers: Sequence[float]) -> bytes:
    """Return numbers of 8 bytes, one after the other."""
    return tag + framed(pack(f"<{len(numbers)}{kind}", *numbers)) if numbers else b""


def _zigzag(tag: bytes, number: int) -> bytes:
    """Return a `sint32`: 0, -1, 1, -2 are written as 0, 1, 2, 3; 0 is not written."""
    return tag + varint(number << 1 if number >= 0 else -number * 2 - 1) if number else b""


def _buckets(tag: bytes, buckets: Any) -> bytes:
    if not buckets.bucket_counts:
        return b""
    counts = b"".join(varint(count) for count in buckets.bucket_counts)
    return tag + framed(_zigzag(b"\x08", buckets.offset) + b"\x12" + framed(counts))


_KINDS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Gauge: (b"\x2a", _number),
    Sum: (b"\x3a", _number),
    Histogram: (b"\x4a", _histogram),
    ExponentialHistogram: (b"\x52", _exponential),
}
"""The field of a metric that holds the points of a kind, and what encodes one."""
