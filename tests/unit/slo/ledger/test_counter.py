"""The counter begins each series with a zero, loses nothing, and carries traces."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags

from mita_otel.slo.ledger.counter import Series, SpentCounter

ROUTE: Series = ("orders", "route", "/orders/{id}")


def _span(trace: int, *, is_sampled: bool = True) -> SpanContext:
    return SpanContext(trace, 1, is_remote=False, trace_flags=TraceFlags(int(is_sampled)))


class Process:
    """A provider, and the counter whose collections it does."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.counter = SpentCounter(self.provider.get_meter("test"))

    def collected(self) -> dict[Series, Any]:
        """Collect; return the points by series."""
        self.counter.collect()
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        [metric] = data.resource_metrics[0].scope_metrics[0].metrics
        return {tuple((point.attributes or {}).values()): point for point in metric.data.data_points}  # type: ignore[misc]


@pytest.fixture
def process() -> Iterator[Process]:
    made = Process()
    yield made
    made.provider.shutdown()


def test_what_is_new_begins_with_a_zero_and_is_told_in_the_next_collection(process: Process) -> None:
    process.counter.spent(ROUTE, INVALID_SPAN_CONTEXT)
    assert process.collected()[ROUTE].value == 0
    process.counter.spent(ROUTE, INVALID_SPAN_CONTEXT)
    assert process.collected()[ROUTE].value == 2
    process.counter.spent(ROUTE, INVALID_SPAN_CONTEXT)
    assert process.collected()[ROUTE].value == 3


def test_the_last_collection_tells_all(process: Process) -> None:
    process.counter.spent(ROUTE, INVALID_SPAN_CONTEXT)
    process.counter.close()
    assert process.collected()[ROUTE].value == 1


def test_traces_are_exemplars_also_of_what_had_to_wait(process: Process) -> None:
    process.counter.spent(ROUTE, _span(7))
    process.collected()
    assert [each.trace_id for each in process.collected()[ROUTE].exemplars] == [7]
    process.counter.spent(ROUTE, _span(8))
    assert [each.trace_id for each in process.collected()[ROUTE].exemplars] == [8]


def test_a_trace_that_is_not_sampled_is_no_example(process: Process) -> None:
    process.counter.spent(ROUTE, _span(7, is_sampled=False))
    process.collected()
    point = process.collected()[ROUTE]
    assert (point.value, list(point.exemplars)) == (1, [])


@given(st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=60))
def test_every_event_is_told_once_whenever_collections_come(events: list[int | None]) -> None:
    process = Process()
    counted: dict[Series, int] = {}
    for event in events:
        if event is None:
            process.collected()
        else:
            series = ("orders", "route", f"/{event}")
            process.counter.spent(series, _span(event + 1))
            counted[series] = counted.get(series, 0) + 1
    process.collected()
    assert {series: point.value for series, point in process.collected().items()} == counted
    process.provider.shutdown()
