"""Measurements through handles are collected as those that go the SDK's own way."""

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import (
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    Histogram,
    MeterProvider,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricReader
from opentelemetry.sdk.metrics.view import (
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from mita_otel.metrics.bound import BoundCounter, BoundHistogram, Handles, obstacles
from mita_otel.metrics.cardinality import OVERFLOW, CardinalityGuard
from mita_otel.metrics.exemplars import reservoir

BOUNDS = (0.1, 0.5, 1.0, 5.0)
NONE: Context = Context()
SAMPLED, UNSAMPLED = (
    set_span_in_context(NonRecordingSpan(SpanContext(0xA1, 0xB2, is_remote=False, trace_flags=TraceFlags(flags))))
    for flags in (1, 0)
)
SETS: Sequence[dict[str, Any]] = (
    {},
    {"route": "/a", "status": 200},
    {"route": "/a", "status": 500, "kind": "odd"},
    {"route": "/b", "status": 200},
)
VIEWS: dict[str, Sequence[View]] = {
    "none": (),
    "attributes taken away": (View(instrument_name="*", attribute_keys={"route"}),),
    "exponential": (View(instrument_type=Histogram, aggregation=ExponentialBucketHistogramAggregation()),),
    "without extremes": (
        View(instrument_type=Histogram, aggregation=ExplicitBucketHistogramAggregation(BOUNDS, record_min_max=False)),
    ),
    "dropped": (View(instrument_name="duration", aggregation=DropAggregation()),),
    "two": (
        View(instrument_name="duration", name="one"),
        View(instrument_name="duration", name="two", attribute_keys={"kind"}),
    ),
}
VIEWS["our own exemplars"] = tuple(
    View(instrument_name="*", attribute_keys=keys, exemplar_reservoir_factory=reservoir) for keys in (None, {"route"})
)
"""Both worlds have the same Views, so what is compared is the way to the reservoir."""

FILTERS: dict[str, Any] = {
    "trace": TraceBasedExemplarFilter,
    "on": AlwaysOnExemplarFilter,
    "off": AlwaysOffExemplarFilter,
}
DELTA: dict[type, AggregationTemporality] = {Histogram: AggregationTemporality.DELTA}


class World:
    """A provider with two readers, a histogram and a counter."""

    def __init__(self, views: Sequence[View], exemplar_filter: Any) -> None:
        self.readers = [InMemoryMetricReader(), InMemoryMetricReader(DELTA)]
        self.provider = MeterProvider(
            self.readers, views=views, exemplar_filter=exemplar_filter, shutdown_on_exit=False
        )
        meter = self.provider.get_meter("test")
        self.duration = meter.create_histogram("duration", explicit_bucket_boundaries_advisory=BOUNDS)
        self.total = meter.create_counter("total")

    def add_reader(self) -> None:
        self.readers.append(InMemoryMetricReader())
        self.provider.add_metric_reader(self.readers[-1])

    def collected(self) -> list[list[tuple[str, list[dict[str, Any]]]]]:
        return [_plain(reader) for reader in self.readers]


def _plain(reader: InMemoryMetricReader) -> list[tuple[str, list[dict[str, Any]]]]:
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        (metric.name, [_without_times(dataclasses.asdict(point)) for point in metric.data.data_points])
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(part) for key, part in value.items() if not key.endswith("time_unix_nano")}
    if isinstance(value, list | tuple):
        return [_without_times(part) for part in value]
    return value


measurements = st.tuples(
    st.just("record"),
    st.one_of(st.floats(-1, 20), st.integers(-1, 20), st.sampled_from([*BOUNDS, 0.0, float("nan"), float("inf")])),
    st.sampled_from(range(len(SETS))),
    st.sampled_from([NONE, SAMPLED, UNSAMPLED]),
)
steps = st.lists(st.one_of(measurements, st.just(("collect",)), st.just(("add reader",))), max_size=30)


@given(program=steps, views=st.sampled_from(sorted(VIEWS)), exemplar_filter=st.sampled_from(sorted(FILTERS)))
def test_a_program_of_measurements_is_collected_as_by_the_sdk(
    program: list[Any], views: str, exemplar_filter: str
) -> None:
    stock, ours = (World(VIEWS[views], FILTERS[exemplar_filter]()) for _ in range(2))
    histograms = [BoundHistogram(ours.duration, attributes) for attributes in SETS]
    for step in program:
        match step:
            case "record", value, number, context:
                stock.duration.record(value, SETS[number], context)
                histograms[number].record(value, context)
            case ("add reader",):
                stock.add_reader()
                ours.add_reader()
            case _:
                assert ours.collected() == stock.collected()
    assert ours.collected() == stock.collected()


@given(program=steps, views=st.sampled_from(sorted(VIEWS)))
def test_a_program_of_additions_is_collected_as_by_the_sdk(program: list[Any], views: str) -> None:
    # Without exemplars, which the SDK draws by lot.
    stock, ours = (World(VIEWS[views], TraceBasedExemplarFilter()) for _ in range(2))
    counters = [BoundCounter(ours.total, attributes) for attributes in SETS]
    for step in program:
        match step:
            case "record", value, number, context:
                context = UNSAMPLED if context is SAMPLED else context
                stock.total.add(value, SETS[number], context)
                counters[number].add(value, context)
            case ("add reader",):
                stock.add_reader()
                ours.add_reader()
            case _:
                assert ours.collected() == stock.collected()
    assert ours.collected() == stock.collected()


def test_a_counter_keeps_one_sampled_addition_as_its_exemplar() -> None:
    world = World((), TraceBasedExemplarFilter())
    counter = BoundCounter(world.total, {"route": "/a"})
    for amount in (1, 2, 3):
        counter.add(amount, SAMPLED)
    (_, (point,)), *_ = world.collected()[0]
    (exemplar,) = point["exemplars"]
    assert exemplar["value"] in {1, 2, 3}
    assert (exemplar["span_id"], exemplar["trace_id"]) == (0xB2, 0xA1)
    assert point["value"] == 6


def test_measurements_of_handles_and_of_the_instrument_itself_share_a_series() -> None:
    world = World((), TraceBasedExemplarFilter())
    handle = BoundHistogram(world.duration, {"route": "/a"})
    handle.record(0.2, NONE)
    world.duration.record(0.3, {"route": "/a"}, SAMPLED)
    handle.record(0.3, NONE)
    (_, (point,)), *_ = world.collected()[0]
    assert (point["count"], [exemplar["value"] for exemplar in point["exemplars"]]) == (3, [0.3])


def test_beyond_the_limit_handles_go_on_to_the_overflow_series_and_are_counted(
    points: Callable[[], Any], reader: InMemoryMetricReader, provider: MeterProvider
) -> None:
    guard = CardinalityGuard(3)
    guard.install()
    guard.observe(provider)
    try:
        counter = provider.get_meter("test").create_counter("requests")
        handles: Handles[str, BoundCounter] = Handles(lambda key: BoundCounter(counter, {"host": key}), limit=2)
        for _ in range(2):
            for number in range(10):
                handles.of(f"host-{number}").add(1)
        collected = points()
    finally:
        guard.remove()
    assert collected["requests"] == {("host-0",): 2, ("host-1",): 2, (str(OVERFLOW["otel.metric.overflow"]),): 16}
    assert collected["mita.metric.overflow.measurements"] == {("requests",): 16}


def test_instruments_of_no_sdk_are_measured_by_their_own_methods() -> None:
    calls: list[Any] = []

    class Foreign:
        def record(self, value: float, attributes: Any, context: Any) -> None:
            calls.append((value, attributes, context))

    handle = BoundHistogram(Foreign(), {"route": "/a"})
    handle.record(1, NONE)
    handle.record(2, NONE)
    assert calls == [(1, {"route": "/a"}, NONE), (2, {"route": "/a"}, NONE)]


def test_no_addition_of_several_threads_is_lost() -> None:
    world = World((), TraceBasedExemplarFilter())
    counter, histogram = BoundCounter(world.total, {}), BoundHistogram(world.duration, {})

    def measure() -> None:
        for _ in range(5_000):
            counter.add(1, SAMPLED)
            histogram.record(0.2, SAMPLED)

    threads = [threading.Thread(target=measure) for _ in range(4)]
    for thread in threads:
        thread.start()
    delta: MetricReader = world.readers[1]
    counted = 0
    while any(thread.is_alive() for thread in threads):
        counted += _count(delta)
    counted += _count(delta)
    collected = dict(world.collected()[0])
    assert (collected["total"][0]["value"], collected["duration"][0]["count"], counted) == (20_000, 20_000, 20_000)


def _count(reader: Any) -> int:
    return sum(point["count"] for name, points in _plain(reader) if name == "duration" for point in points)


@pytest.mark.parametrize(
    ("views", "exemplar_filter", "told"),
    [
        ("none", "trace", []),
        ("two", "trace", []),
        ("exponential", "trace", ["exponential histograms"]),
        ("none", "on", ["the exemplar filter AlwaysOnExemplarFilter"]),
    ],
)
def test_what_keeps_handles_from_adding_by_themselves_is_told(
    views: str, exemplar_filter: str, told: list[str]
) -> None:
    world = World(VIEWS[views], FILTERS[exemplar_filter]())
    assert list(obstacles(world.provider)) == told


def test_a_reader_that_wants_exponential_histograms_is_told_and_so_is_a_provider_that_is_not_the_sdks() -> None:
    reader = InMemoryMetricReader(preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()})
    assert list(obstacles(MeterProvider([reader], shutdown_on_exit=False))) == ["exponential histograms"]
    assert list(obstacles(NoOpMeterProvider())) == ["a provider that is not the SDK's (NoOpMeterProvider)"]


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_what_the_sdk_refuses_is_refused(value: float, caplog: pytest.LogCaptureFixture) -> None:
    world = World((), TraceBasedExemplarFilter())
    handle = BoundHistogram(world.duration, {})
    handle.record(1, NONE)
    handle.record(value, NONE)
    (_, (point,)), *_ = world.collected()[0]
    assert point["count"] == 1
    assert "duration" in caplog.text
