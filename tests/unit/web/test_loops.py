"""How late an event loop is: measured from an application's lifespan on, or from its first request."""

import asyncio
import sys
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.settings import Settings
from mita_otel.web.server import ServerLayer
from mita_otel.web.serving import Serve
from tests.unit.web.layered import within

LIFESPAN = {"type": "lifespan"}
REQUEST = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": []}


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def serve(reader: InMemoryMetricReader, monkeypatch: pytest.MonkeyPatch) -> Serve:
    monkeypatch.setattr("mita_otel.metrics.event_loop.INTERVAL", 0.001)
    return within(ServerLayer(Settings.read({}), MeterProvider([reader])))


def samples(reader: InMemoryMetricReader) -> int:
    data = reader.get_metrics_data()
    found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
    points: list[Any] = [p for m in found if m.name == "mita.event_loop.lag" for p in m.data.data_points]
    return sum(point.count for point in points)


async def ask(serve: Serve, scope: dict[str, Any]) -> bool:
    """Return whether the application was called."""
    served = False

    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        nonlocal served
        served = True

    async def unused(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    await serve(application, scope.copy(), unused, unused)
    return served


async def is_measured(reader: InMemoryMetricReader) -> bool:
    before = samples(reader)
    for _ in range(2_000):
        await asyncio.sleep(0.001)
        if samples(reader) > before:
            return True
    return False


@pytest.mark.parametrize("scope", [LIFESPAN, REQUEST], ids=lambda scope: scope["type"])
def test_a_loop_is_measured_from_the_first_that_it_serves(
    serve: Serve, reader: InMemoryMetricReader, scope: dict[str, Any]
) -> None:
    with asyncio.Runner() as runner:
        runner.run(ask(serve, scope))
        assert runner.run(is_measured(reader))


@pytest.mark.parametrize("scope", [LIFESPAN, REQUEST], ids=lambda scope: scope["type"])
def test_a_fault_in_measuring_a_loop_is_reported_and_the_application_served(
    scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no loop is measured")

    monkeypatch.setattr("mita_otel.metrics.event_loop.EventLoopLag.watch", fail)
    reported: list[BaseException | None] = []
    layer = ServerLayer(
        Settings.read({}),
        MeterProvider(shutdown_on_exit=False),
        report=lambda: reported.append(sys.exception()),
    )
    assert asyncio.run(ask(within(layer), scope))
    assert [str(fault) for fault in reported] == ["no loop is measured"]


def test_a_second_loop_is_measured_though_the_first_one_lives(serve: Serve, reader: InMemoryMetricReader) -> None:
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(ask(serve, LIFESPAN))
        second.run(ask(serve, LIFESPAN))
        assert second.run(is_measured(reader))


def test_a_loop_is_measured_by_its_first_request_once_the_one_before_is_gone(
    serve: Serve, reader: InMemoryMetricReader
) -> None:
    with asyncio.Runner() as runner:
        runner.run(ask(serve, REQUEST))
    del runner
    with asyncio.Runner() as runner:
        runner.run(ask(serve, REQUEST))
        assert runner.run(is_measured(reader))
