"""The counter begins each series with a zero, loses nothing, and carries traces."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import SpanContext, TraceFlags

from mita_otel.slo.ledger.book import Book
from mita_otel.slo.ledger.causes import Cause
from mita_otel.slo.ledger.counter import SpentCounter

ROUTE = "/orders/{id}"
NOTHING = Cause("none", "none", "none", "none", "none")


def _span(trace: int) -> SpanContext:
    return SpanContext(trace, 1, is_remote=False, trace_flags=TraceFlags(1))


class Process:
    """A book, and the counter whose collections are made."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.now = 1_790_000_000.0
        self._book = Book(lambda: self.now)
        self._counter = SpentCounter(self.provider.get_meter("test"), ["orders"])

    def spend(self, route: str = "/orders/{id}", span: SpanContext | None = None) -> None:
        """Let a bad event happen."""
        self.now += 1
        self._book.spend((0,), NOTHING._replace(route=route), span)

    def collected(self, *, is_last: bool = False) -> dict[str, Any]:
        """Collect; return the points by route."""
        self._counter.tell(self._book.totals(), is_last=is_last)
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        [metric] = data.resource_metrics[0].scope_metrics[0].metrics
        points = [point for point in metric.data.data_points if (point.attributes or {})["dimension"] == "route"]
        return {str((point.attributes or {})["contributor"]): point for point in points}


@pytest.fixture
def process() -> Iterator[Process]:
    made = Process()
    yield made
    made.provider.shutdown()


def test_what_is_new_begins_with_a_zero_and_is_told_in_the_next_collection(process: Process) -> None:
    process.spend()
    assert process.collected()[ROUTE].value == 0
    process.spend()
    assert process.collected()[ROUTE].value == 2
    process.spend()
    assert process.collected()[ROUTE].value == 3


def test_the_last_collection_tells_all(process: Process) -> None:
    process.spend()
    assert process.collected(is_last=True)[ROUTE].value == 1


def test_traces_are_exemplars_also_of_what_had_to_wait(process: Process) -> None:
    process.spend(span=_span(7))
    process.collected()
    assert [each.trace_id for each in process.collected()[ROUTE].exemplars] == [7]
    process.spend(span=_span(8))
    assert [each.trace_id for each in process.collected()[ROUTE].exemplars] == [8]


def test_a_trace_is_shown_once(process: Process) -> None:
    process.spend(span=_span(7))
    for _ in range(2):
        process.collected()
    process.spend()
    assert list(process.collected()[ROUTE].exemplars) == []


@given(st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=60))
def test_every_event_is_told_once_whenever_collections_come(events: list[int | None]) -> None:
    process = Process()
    counted: dict[str, int] = {}
    for event in events:
        if event is None:
            process.collected()
        else:
            process.spend(f"/{event}", _span(event + 1))
            counted[f"/{event}"] = counted.get(f"/{event}", 0) + 1
    process.collected()
    assert {route: point.value for route, point in process.collected().items()} == counted
    process.provider.shutdown()
