"""Measurements as plain data."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

Points = Callable[[], dict[str, dict[tuple[str, ...], Any]]]


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def points(reader: InMemoryMetricReader) -> Points:
    """Read what was measured: by name, then by the attributes' values, a number or a histogram's count."""

    def read() -> dict[str, dict[tuple[str, ...], Any]]:
        data = reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: {
                tuple(str(value) for value in (point.attributes or {}).values()): getattr(
                    point, "value", getattr(point, "count", None)
                )
                for point in metric.data.data_points
            }
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    return read
