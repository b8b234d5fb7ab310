"""A full instrument files new attribute sets under one overflow series."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View

from mita_otel.metrics.cardinality import OVERFLOW, CardinalityGuard

LIMIT = 10


@pytest.fixture
def guard() -> Iterator[CardinalityGuard]:
    guard = CardinalityGuard(LIMIT)
    guard.install()
    yield guard
    guard.remove()


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def points(reader: InMemoryMetricReader) -> Callable[[str], list[Any]]:
    def read(name: str) -> list[Any]:
        data = reader.get_metrics_data()
        assert data is not None
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    return read


def test_an_instrument_has_at_most_the_limit_of_series_and_loses_no_measurement(
    guard: CardinalityGuard, reader: InMemoryMetricReader, points: Callable[[str], list[Any]]
) -> None:
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    counter = provider.get_meter("test").create_counter("requests")
    for number in range(100):
        counter.add(1, {"host": f"host-{number}"})
    found = points("requests")
    assert len(found) == LIMIT
    assert sum(point.value for point in found) == 100
    assert [point.value for point in found if point.attributes == OVERFLOW] == [100 - (LIMIT - 1)]


def test_series_known_before_the_limit_go_on(
    guard: CardinalityGuard, reader: InMemoryMetricReader, points: Callable[[str], list[Any]]
) -> None:
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    counter = provider.get_meter("test").create_counter("requests")
    for _ in range(2):
        for number in range(20):
            counter.add(1, {"host": f"host-{number}"})
    assert next(p.value for p in points("requests") if p.attributes == {"host": "host-0"}) == 2


def test_a_view_that_filters_attributes_still_shows_the_overflow_series(
    guard: CardinalityGuard, reader: InMemoryMetricReader, points: Callable[[str], list[Any]]
) -> None:
    provider = MeterProvider(
        metric_readers=[reader],
        views=[View(instrument_name="requests", attribute_keys={"route"})],
        shutdown_on_exit=False,
    )
    counter = provider.get_meter("test").create_counter("requests")
    for number in range(30):
        counter.add(1, {"route": f"/{number}", "host": "ignored"})
    found = points("requests")
    assert len(found) == LIMIT
    assert [point.value for point in found if point.attributes == OVERFLOW] == [30 - (LIMIT - 1)]


def test_overflowed_measurements_are_counted_by_instrument(
    guard: CardinalityGuard, reader: InMemoryMetricReader, points: Callable[[str], list[Any]]
) -> None:
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    guard.observe(provider)
    histogram = provider.get_meter("test").create_histogram("sizes")
    for number in range(15):
        histogram.record(1, {"host": f"host-{number}"})
    (point,) = points("mita.metric.overflow.measurements")
    assert (point.value, dict(point.attributes)) == (15 - (LIMIT - 1), {"mita.instrument.name": "sizes"})
