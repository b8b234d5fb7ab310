"""What each step of a span's life costs, in the SDK and on our fast path: the source of the figures in the code.

`python -m benchmarks.spans` prints a table; the last line is one JSON object of microseconds. Steps are so short that
the least of many repetitions is the figure: whatever else runs on the machine only adds.
"""

import argparse
import json
import timeit
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace._tracer_metrics import TracerMetrics
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Decision
from opentelemetry.trace import SpanKind, Tracer

from mita_otel.export import MaskingEncoder
from mita_otel.traces.attributes import taken
from mita_otel.traces.counts import SpanCounts
from mita_otel.traces.provider import Provider
from mita_otel.traces.redaction import redact_span
from mita_otel.traces.sampling import TRACE_ID_MASK, bounds_of

RESOURCE: Final = Resource({"service.name": "benchmark"})
ATTRIBUTES: Final[dict[str, str | int | float]] = {
    "db.system.name": "postgresql",
    "server.address": "localhost",
    "server.port": 5432,
    "db.namespace": "app",
    "db.query.text": "SELECT users.id, users.name FROM users WHERE users.id = ?",
    "db.operation.name": "SELECT",
    "db.collection.name": "users",
    "duration": 2.5,
}
_LENGTH: Final = 8193

Step = tuple[str, Callable[[], Any], Callable[[], Any]]


def whole(tracer: Tracer) -> None:
    """Start a span with eight attributes, set two more, end it."""
    span = tracer.start_span("SELECT app", kind=SpanKind.CLIENT, attributes=ATTRIBUTES)
    span.set_attribute("x", "y")
    span.set_attribute("n", 3)
    span.end()


def block(tracer: Tracer) -> None:
    """Make a span the current one of an empty block."""
    with tracer.start_as_current_span("s"):
        pass


def steps() -> list[Step]:
    """Return name, the SDK's way and ours of each step."""
    sdk = TracerProvider(DEFAULT_ON, RESOURCE, shutdown_on_exit=False).get_tracer("benchmark")
    ours = Provider(sampler=DEFAULT_ON, resource=RESOURCE).get_tracer("benchmark")
    sdk_off = TracerProvider(ALWAYS_OFF, RESOURCE, shutdown_on_exit=False).get_tracer("benchmark")
    ours_off = Provider(sampler=ALWAYS_OFF, resource=RESOURCE).get_tracer("benchmark")
    bounds = bounds_of(DEFAULT_ON) or (0,)
    metrics, counts = TracerMetrics(MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)), SpanCounts()
    start, end = counts.start(Decision.RECORD_AND_SAMPLE)[0], counts.end(Decision.RECORD_AND_SAMPLE)
    span: Any = ours.start_span("SELECT app", kind=SpanKind.CLIENT, attributes=ATTRIBUTES)
    span.end()
    encoder = MaskingEncoder()
    return [
        ("start to end", lambda: whole(sdk), lambda: whole(ours)),
        ("start, not sampled", lambda: sdk_off.start_span("s"), lambda: ours_off.start_span("s")),
        ("current in a block", lambda: block(sdk_off), lambda: block(ours_off)),
        (
            "eight attributes",
            lambda: BoundedAttributes(128, ATTRIBUTES, immutable=False, max_value_len=_LENGTH),
            lambda: taken(ATTRIBUTES, 128, _LENGTH),
        ),
        ("decide", lambda: DEFAULT_ON.should_sample(None, 5, "s"), lambda: bounds[0] > TRACE_ID_MASK & 5),
        ("count", lambda: _counted(metrics), lambda: (start(), end())),
        (
            "mask, encode 64",
            lambda: encode_spans([redact_span(span) for _ in range(64)]).SerializeToString(),
            lambda: encoder.payload([span] * 64),
        ),
    ]


def _counted(metrics: TracerMetrics) -> None:
    metrics.start_span(None, Decision.RECORD_AND_SAMPLE)()


def measure(number: int, repeat: int) -> dict[str, dict[str, float]]:
    """Return microseconds of each step, by whose it is; the least of `repeat` times `number` calls."""

    def least(call: Callable[[], Any]) -> float:
        return round(min(timeit.repeat(call, number=number, repeat=repeat)) / number * 1e6, 2)

    return {name: {"sdk": least(sdk), "ours": least(ours)} for name, sdk, ours in steps()}


def main() -> None:
    """Print the table, and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=100, help="calls that are timed together")
    parser.add_argument("--repeat", type=int, default=40, help="repetitions, of which the least counts")
    arguments = parser.parse_args()
    figures = measure(arguments.number, arguments.repeat)
    print(f"{'step':<20} {'SDK, us':>8} {'ours, us':>9}")
    for name, of in figures.items():
        print(f"{name:<20} {of['sdk']:>8.2f} {of['ours']:>9.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
