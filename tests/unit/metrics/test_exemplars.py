"""Our reservoir keeps what the SDK's keeps."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import AlignedHistogramBucketExemplarReservoir
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from mita_otel.metrics.exemplars import LastOfBucket

BOUNDS = (0.1, 0.5, 1.0)
SPAN = NonRecordingSpan(SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)))
POINT = {"route": "/a"}

offers = st.tuples(
    st.one_of(st.floats(-1, 2), st.sampled_from(BOUNDS)),
    st.integers(0, 2**63),
    st.sampled_from([None, {}, {"route": "/a"}, {"route": "/a", "kind": "odd"}]),
    st.just(set_span_in_context(SPAN)),
)


@given(st.lists(st.one_of(offers, st.none()), max_size=20))
def test_what_is_collected_is_what_the_sdks_own_reservoir_collects(program: list[Any]) -> None:
    ours, stock = LastOfBucket(BOUNDS), AlignedHistogramBucketExemplarReservoir(BOUNDS)
    for step in [*program, None, None]:
        if step is None:
            assert ours.collect(POINT) == stock.collect(POINT)
        else:
            ours.offer(*step)
            stock.offer(*step)


def test_a_measurement_outside_a_trace_has_no_ids() -> None:
    # Of the SDK's reservoir it would have those of the bucket's measurement before.
    ours = LastOfBucket(BOUNDS)
    ours.offer(0.2, 1, None, set_span_in_context(SPAN))
    ours.offer(0.3, 2, None, Context())
    assert [(one.value, one.span_id, one.trace_id) for one in ours.collect(POINT)] == [(0.3, None, None)]
