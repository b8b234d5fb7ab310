import asyncio
import logging
from typing import Any

import pytest
import stamina
import stamina.instrumentation
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mita_otel.guard import Guard
from mita_otel.retries import Policy, Registry, Retry, telemetry
from mita_otel.retries.decision import Reason
from tests.unit.retries.test_retry import Flaky, Make


class Traced:
    """A span around some work, and what became of it."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer: trace.Tracer = provider.get_tracer("test")

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        [span] = self._spans.get_finished_spans()
        assert isinstance(span, ReadableSpan)
        return [(event.name, dict(event.attributes or {})) for event in span.events]


async def test_the_span_of_the_caller_tells_of_each_attempt(registry: Registry) -> None:
    traced = Traced()
    made = Retry("rates", Policy(base_seconds=0.002), registry=registry, draw=lambda: 0.5)
    with traced.tracer.start_as_current_span("request"), pytest.raises(ConnectionError):
        await made.call_async(Flaky(9).later)
    of = {"mita.retry.dependency": "rates", "error.type": "ConnectionError"}
    assert traced.events == [
        ("mita.retry.scheduled", {**of, "mita.retry.count": 1, "mita.retry.wait": 0.001}),
        ("mita.retry.scheduled", {**of, "mita.retry.count": 2, "mita.retry.wait": 0.002}),
        ("mita.retry.exhausted", {**of, "mita.retry.count": 2, "mita.retry.reason": "attempts"}),
    ]


async def test_a_call_that_goes_well_tells_nothing(retry: Make) -> None:
    traced = Traced()
    with traced.tracer.start_as_current_span("request"):
        await retry().call_async(Flaky(0).later)
    assert traced.events == []


async def test_calls_at_the_same_time_do_not_mix(registry: Registry) -> None:
    one, other = (Retry(name, Policy(base_seconds=0.001), registry=registry) for name in ("one", "other"))
    await asyncio.gather(*(each.call_async(Flaky(2).later) for each in (one, other) for _ in range(5)))
    assert (one.statistics.retries, other.statistics.retries) == (10, 10)
    assert one.statistics.waited > 0
    assert other.statistics.waited > 0


def test_an_applications_own_use_of_stamina_is_seen(retry: Make, caplog: pytest.LogCaptureFixture) -> None:
    retry()
    traced, flaky = Traced(), Flaky(1)

    @stamina.retry(on=ConnectionError, wait_initial=0.001, wait_jitter=0)
    def own(_password: str) -> str:
        return flaky()

    caplog.set_level(logging.INFO)
    with traced.tracer.start_as_current_span("request"):
        assert own("hunter2") == "done"
    [(name, attributes)] = traced.events
    assert name == "mita.retry.scheduled"
    assert attributes["mita.retry.dependency"].endswith("own")
    assert "hunter2" not in caplog.text
    assert not any("hunter2" in str(vars(record)) for record in caplog.records)


def test_the_applications_hooks_stay(retry: Make) -> None:
    def own(details: stamina.instrumentation.RetryDetails) -> None:
        called.append(details.retry_num)

    called: list[int] = []
    before = stamina.instrumentation.get_on_retry_hooks()
    try:
        stamina.instrumentation.set_on_retry_hooks([own])
        telemetry.install_hook.cache_clear()
        retry().call(Flaky(1))
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)
    assert called == [1]


async def test_metrics_begin_at_zero_and_tell_what_happened(registry: Registry) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    telemetry.observe(provider.get_meter("test"), registry)
    made = Retry("rates", Policy(base_seconds=0.001), registry=registry)
    before = points(reader)
    assert before["mita.retry.calls", "rates", None] == 0
    assert {key[2]: value for key, value in before.items() if key[0] == "mita.retry.exhausted"} == dict.fromkeys(
        (reason.value for reason in Reason), 0
    )
    assert before["mita.retry.budget", "rates", None] == pytest.approx(10, abs=1)
    await made.call_async(Flaky(2).later)
    with pytest.raises(ConnectionError):
        await made.call_async(Flaky(9).later)
    after = points(reader)
    assert after["mita.retry.calls", "rates", None] == 2
    assert after["mita.retry.attempts", "rates", "success"] == 1
    assert after["mita.retry.attempts", "rates", "failure"] == 5
    assert after["mita.retry.attempts", "rates", "cancelled"] == 0
    assert after["mita.retry.exhausted", "rates", "attempts"] == 1
    assert after["mita.retry.wait", "rates", None] > 0
    assert after["mita.retry.budget", "rates", None] < 10


def points(reader: InMemoryMetricReader) -> dict[tuple[str, Any, Any], float]:
    data = reader.get_metrics_data()
    assert data is not None
    found = {}
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    attributes = dict(point.attributes or {})
                    key = attributes.get("outcome", attributes.get("reason"))
                    found[metric.name, attributes.get("dependency"), key] = getattr(point, "value", 0.0)
    return found


async def test_telemetry_that_fails_fails_no_call(
    retry: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> trace.Span:
        raise RuntimeError("no span today")

    monkeypatch.setattr(telemetry, "GUARD", Guard(logging.getLogger("mita_otel.retries")))
    monkeypatch.setattr(trace, "get_current_span", fail)
    made = retry()
    assert await made.call_async(Flaky(2).later) == "done"
    with pytest.raises(ConnectionError):
        await made.call_async(Flaky(9).later)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1, "it is told once a minute"


async def test_a_judge_that_fails_hides_nothing(retry: Make, caplog: pytest.LogCaptureFixture) -> None:
    def judge(_error: Exception) -> bool:
        raise RuntimeError("no judgement today")

    with pytest.raises(ConnectionError):
        await retry(judge=judge).call_async(Flaky(9).later)
    assert "judge" in caplog.text
