"""Callbacks that raise or hang cost no other instrument its measurements."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel.metrics.callbacks import CallbackGuard
from tests.fixtures.polling import eventually

Points = Callable[[], dict[str, dict[tuple[str, ...], Any]]]
LIMIT = 0.2


@pytest.fixture
def guard(provider: MeterProvider) -> Iterator[CallbackGuard]:
    guard = CallbackGuard(LIMIT)
    guard.install()
    guard.observe(provider)
    yield guard
    guard.remove()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets a hanging callback return."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def hanging(guard: CallbackGuard, provider: MeterProvider, release: threading.Event) -> None:
    def hang(_: CallbackOptions) -> list[Observation]:
        release.wait(30)
        return [Observation(1)]

    meter = provider.get_meter("test")
    meter.create_observable_gauge("hangs", [hang])
    meter.create_observable_gauge("answers", [lambda _: [Observation(2)]])


def test_a_callback_that_hangs_is_left_out_and_the_others_are_not(hanging: None, points: Points) -> None:
    found = points()
    assert "hangs" not in found
    assert found["answers"] == {(): 2}


def test_a_callback_that_hangs_is_counted_and_logged_once(
    hanging: None, points: Points, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        points()
    assert points()["mita.metric.callback.timeouts"]["hangs",] >= 3
    assert len(caplog.records) == 1


def test_a_callback_that_hangs_is_not_called_again_until_it_returns(
    hanging: None, points: Points, release: threading.Event
) -> None:
    points()
    before = threading.active_count()
    for _ in range(5):
        points()
    assert threading.active_count() == before
    release.set()
    assert eventually(lambda: points().get("hangs")) == {(): 1}


def test_a_callback_that_raises_costs_only_its_own_measurements(
    guard: CallbackGuard, provider: MeterProvider, points: Points, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: CallbackOptions) -> list[Observation]:
        raise RuntimeError("no value")

    meter = provider.get_meter("test")
    meter.create_observable_gauge("fails", [fail])
    meter.create_observable_gauge("answers", [lambda _: [Observation(2)]])
    found = points()
    assert ("fails" in found, found["answers"]) == (False, {(): 2})
