"""Batches of spans as a service on PostgreSQL sends them, encoded once and made new by changing bytes in place."""

import random
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS: Final = 512
"""Of a batch: what the SDK's batch processor sends."""
_SPANS_OF_A_TRACE: Final = 5
_RESOURCE: Final[dict[str, str | int]] = {
    "service.version": "1.4.2",
    "service.instance.id": "5f0c1a52-0c3e-4f0b-9a59-0d0c8f3f4a11",
    "deployment.environment.name": "benchmark",
    "host.name": "benchmark-1",
    "process.pid": 4711,
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.1",
}
_STATEMENTS: Final = (
    ("SELECT orders", "SELECT id, total, state, placed_at FROM orders WHERE account_id = $1 ORDER BY placed_at DESC"),
    ("SELECT items", "SELECT id, name, price, quantity FROM items WHERE order_id = $1"),
    ("UPDATE accounts", "UPDATE accounts SET balance = balance - $1, updated_at = now() WHERE id = $2"),
    ("INSERT audit", "INSERT INTO audit (account_id, action, at) VALUES ($1, $2, now())"),
)


@dataclass(slots=True)
class Batch:
    """An encoded request, and where its ids and times are."""

    content: bytearray
    ids: list[int] = field(default_factory=list)
    correlation_ids: list[int] = field(default_factory=list)
    times: list[tuple[int, int]] = field(default_factory=list)

    def renewed(self, number: int) -> bytes:
        """Return the request with ids that no other number gives, and the times of now."""
        content = self.content
        mark = struct.pack(">I", number)
        for offset in self.ids:
            content[offset : offset + 4] = mark
        text = mark.hex().encode()
        for offset in self.correlation_ids:
            content[offset : offset + 8] = text
        start = time.time_ns()
        for index, (offset, duration) in enumerate(self.times):
            struct.pack_into("<Q", content, offset, start + index * 1000)
            struct.pack_into("<Q", content, offset + 9, start + index * 1000 + duration)
        return bytes(content)


def batch(rng: random.Random, service: str = "orders") -> Batch:
    """Make a batch: a fifth server spans, the rest database spans below them, 8 to 10 attributes each."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _set(resource_spans.resource.attributes, {"service.name": service, **_RESOURCE})
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "opentelemetry.instrumentation.fastapi"
    scope_spans.scope.version = "0.66b1"
    while len(scope_spans.spans) < SPANS:
        _add_trace(scope_spans.spans, rng)
    return _located(request)


def _add_trace(spans: Any, rng: random.Random) -> None:
    trace, root, correlation = rng.randbytes(16), rng.randbytes(8), rng.randbytes(16).hex()
    for position in range(min(_SPANS_OF_A_TRACE, SPANS - len(spans))):
        start = time.time_ns() + rng.randrange(1_000_000)
        span = spans.add(
            trace_id=trace,
            span_id=rng.randbytes(8) if position else root,
            parent_span_id=root if position else b"",
            start_time_unix_nano=start,
            end_time_unix_nano=start + rng.randrange(200_000, 90_000_000),
            flags=257,
        )
        if position:
            _fill_query(span, correlation, *_STATEMENTS[position - 1])
        else:
            _fill_request(span, correlation, rng)


def _fill_request(span: Span, correlation: str, rng: random.Random) -> None:
    span.name, span.kind = "GET /orders/{order_id}", Span.SPAN_KIND_SERVER
    failed = rng.random() < 0.01  # noqa: PLR2004 - one in a hundred
    if failed:
        span.status.code = span.status.STATUS_CODE_ERROR
    attributes: dict[str, str | int] = {
        "http.request.method": "GET",
        "http.route": "/orders/{order_id}",
        "http.response.status_code": 500 if failed else 200,
        "url.path": f"/orders/{rng.randrange(10**9)}",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": 8000,
        "client.address": "127.0.0.1",
        "user_agent.original": "python-httpx/0.28.1",
        "mita.correlation_id": correlation,
    }
    _set(span.attributes, attributes)


def _fill_query(span: Span, correlation: str, name: str, statement: str) -> None:
    span.name, span.kind = name, Span.SPAN_KIND_CLIENT
    attributes: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.namespace": "orders",
        "db.operation.name": name.partition(" ")[0],
        "db.collection.name": name.partition(" ")[2],
        "db.query.text": statement,
        "server.address": "127.0.0.1",
        "server.port": 5432,
        "mita.correlation_id": correlation,
    }
    _set(span.attributes, attributes)


def _set(attributes: Any, values: Mapping[str, str | int]) -> None:
    for key, value in values.items():
        attribute = attributes.add(key=key)
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value


def _located(request: ExportTraceServiceRequest) -> Batch:
    """Encode a request, and find in it what `renewed` changes."""
    content = request.SerializeToString()
    found = Batch(bytearray(content))
    position = 0
    for span in request.resource_spans[0].scope_spans[0].spans:
        position = content.index(span.trace_id, position)
        for identifier in (span.trace_id, span.span_id, span.parent_span_id):
            if identifier:
                found.ids.append(content.index(identifier, position))
        times = struct.pack("<BQBQ", 0x39, span.start_time_unix_nano, 0x41, span.end_time_unix_nano)
        found.times.append((content.index(times, position) + 1, span.end_time_unix_nano - span.start_time_unix_nano))
        correlation = next(pair.value.string_value for pair in span.attributes if pair.key == "mita.correlation_id")
        found.correlation_ids.append(content.index(correlation.encode(), position))
    return found
