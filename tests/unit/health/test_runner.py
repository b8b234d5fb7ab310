"""Looking at components every few seconds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mita_otel.health import Check, Health, Level, Reading, above
from mita_otel.health.runner import CHECKS_AT_MOST


@dataclass
class Component:
    """Does what a test says."""

    behaviour: Callable[[], Awaitable[Sequence[Reading]]] | None = None
    looks: int = 0
    looking: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self) -> Sequence[Reading]:
        self.looks += 1
        self.looking.set()
        return () if self.behaviour is None else await self.behaviour()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def component() -> Component:
    return Component()


def check(component: Component, name: str = "store", slow: float = 0.5, timeout: float = 1.0) -> Check:
    return Check(name, component.look, slow=slow, timeout=timeout)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of the test
            await asyncio.sleep(0.005)


async def test_what_works_is_healthy(component: Component) -> None:
    async with Health([check(component)]).running() as health:
        assert (health.level, health.readiness.is_ready, component.looks) == (Level.HEALTHY, True, 1)


async def test_it_is_looked_at_again_and_again(component: Component) -> None:
    async with Health([check(component)], interval=0.01).running():
        await until(lambda: component.looks > 3)


async def test_what_raises_is_unhealthy_until_it_does_not(component: Component) -> None:
    async def fails() -> Sequence[Reading]:
        raise ConnectionError("10.0.0.1")

    component.behaviour = fails
    async with Health([check(component)], interval=0.01).running() as health:
        assert health.level is Level.UNHEALTHY
        assert health.results()[0].error == "ConnectionError"
        component.behaviour = None
        await until(lambda: health.level is Level.HEALTHY)


async def test_what_does_not_answer_in_time_is_unhealthy_and_holds_nothing_else_up(component: Component) -> None:
    component.behaviour = lambda: asyncio.sleep(60, ())
    other = Component()
    checks = [check(component, timeout=0.05, slow=0.01), check(other, "other")]
    async with Health(checks, interval=0.01).running() as health:
        assert [result.error for result in sorted(health.results(), key=lambda each: each.check.name)] == [
            "",
            "TimeoutError",
        ]
        await until(lambda: other.looks > 3)


async def test_a_slow_answer_is_degraded(component: Component) -> None:
    component.behaviour = lambda: asyncio.sleep(0.05, ())
    async with Health([check(component, slow=0.01)]).running() as health:
        assert health.level is Level.DEGRADED


async def test_the_worst_reading_counts(component: Component) -> None:
    async def full() -> Sequence[Reading]:
        return [above("disk", 95, 90, "percent", Level.CRITICAL), above("cpu", 10, 80, "percent")]

    component.behaviour = full
    async with Health([check(component), check(component, "other")]).running() as health:
        assert health.level is Level.CRITICAL


async def test_a_look_that_swallows_its_cancellation_is_told_of_as_hanging(component: Component) -> None:
    clock = Clock()
    async with Health([check(component)], interval=0.1, clock=clock).running() as health:
        assert health.level is Level.HEALTHY
        clock.now += 10
        assert (health.level, health.results()[0].error) == (Level.UNHEALTHY, "hangs")


async def test_at_the_end_it_is_not_ready_and_no_look_goes_on(component: Component) -> None:
    async with Health([check(component)], interval=0.01).running() as health:
        pass
    assert health.readiness.reason == "draining"
    looks = component.looks
    await asyncio.sleep(0)
    assert component.looks == looks


async def test_the_end_comes_in_the_middle_of_a_look(component: Component) -> None:
    async with Health([check(component, timeout=60, slow=1)], interval=0.01).running():
        component.behaviour = lambda: asyncio.sleep(60, ())
        component.looking.clear()
        await component.looking.wait()


@pytest.mark.parametrize("number", [2, CHECKS_AT_MOST + 1])
def test_names_are_unique_and_few(component: Component, number: int) -> None:
    names = ["store"] * 2 if number == 2 else [str(each) for each in range(number)]
    with pytest.raises(ValueError, match="health checks"):
        Health([check(component, name) for name in names])


def test_a_shared_component_that_there_is_not_is_refused(component: Component) -> None:
    with pytest.raises(ValueError, match="MITA_FAIL_READY_ON names checks that there are not: databse"):
        Health([check(component, "database")], fail_ready_on=["databse"])


async def test_a_change_is_logged_once(component: Component, caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> Sequence[Reading]:
        raise ConnectionError

    with caplog.at_level(logging.INFO, "mita_otel.health"):
        async with Health([check(component)], interval=0.01).running() as health:
            component.behaviour = fails
            await until(lambda: len(health.histories["store"].entries) > 4)
    assert [record.getMessage() for record in caplog.records] == ["store is unhealthy"]


async def test_a_failure_has_a_trace_of_its_own(component: Component, finished_spans: InMemorySpanExporter) -> None:
    async def fails() -> Sequence[Reading]:
        raise ConnectionError("refused")

    component.behaviour = fails
    async with Health([check(component)]).running() as health:
        (span,) = finished_spans.get_finished_spans()
        assert span.context is not None
        assert health.results()[0].trace_id == f"{span.context.trace_id:032x}"
        assert (span.name, span.parent, [event.name for event in span.events]) == ("check store", None, ["exception"])
