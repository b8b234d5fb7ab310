"""Breakers on a clock that the test turns, and what they tell as plain data."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.breakers import CircuitBreaker, Policy, Registry
from mita_otel.breakers.telemetry import observe


class Clock:
    """Seconds that only the test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> Iterator[MeterProvider]:
    provider = MeterProvider([reader], shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def points(
    provider: MeterProvider, reader: InMemoryMetricReader, registry: Registry
) -> Callable[[str], dict[tuple[str, ...], Any]]:
    """Read a metric of the registry's breakers: the value, or a histogram's count, by the attributes' values."""
    observe(provider.get_meter("test"), registry)

    def read(name: str) -> dict[tuple[str, ...], Any]:
        data = reader.get_metrics_data()
        assert data is not None
        return {
            tuple(str(value) for value in (point.attributes or {}).values()): getattr(
                point, "value", getattr(point, "count", None)
            )
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        }

    return read


@pytest.fixture
def make(clock: Clock, registry: Registry, provider: MeterProvider) -> Callable[..., CircuitBreaker]:
    """Make a breaker by its policy's fields, named `api`, that opens for exactly as long as it says."""

    def make(name: str = "api", **fields: Any) -> CircuitBreaker:
        policy = Policy(**{"open_jitter": 0.0, **fields})
        return CircuitBreaker(
            name, policy, registry=registry, clock=clock, draw=lambda: 0.5, meter=provider.get_meter("test")
        )

    return make
