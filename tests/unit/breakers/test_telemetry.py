"""What a breaker tells: metrics with zeros, events, and links from what it refused to what had failed."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Outcome, Override, Reason, State
from mita_otel.breakers import telemetry as told
from mita_otel.metrics.catalogue import breakers as catalogue
from tests.unit.breakers.conftest import Clock

Make = Callable[..., CircuitBreaker]
Points = Callable[[str], dict[tuple[str, ...], Any]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Iterator[Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider.get_tracer("test")
    provider.shutdown()


def _fail() -> None:
    raise ConnectionError


def _fail_in(tracer: Tracer, breaker: CircuitBreaker, times: int) -> list[int]:
    traces = []
    for number in range(times):
        with tracer.start_as_current_span(f"failing {number}") as span, pytest.raises(ConnectionError):
            breaker.call(_fail)
        traces.append(span.get_span_context().trace_id)
    return traces


def _refuse_in(tracer: Tracer, breaker: CircuitBreaker) -> ReadableSpan:
    with tracer.start_as_current_span("refused") as span, pytest.raises(CircuitOpenError):
        breaker.call(_fail)
    assert isinstance(span, ReadableSpan)
    return span


def test_the_state_is_one_of_all_states_whose_zeros_are_there(make: Make, points: Points) -> None:
    breaker = make()
    states = {("api", state.value): 0 for state in State}
    assert points("mita.circuit_breaker.state") == {**states, ("api", "closed"): 1}
    breaker.override(Override.FORCED_OPEN)
    assert points("mita.circuit_breaker.state") == {**states, ("api", "forced_open"): 1}


def test_calls_are_told_by_outcome_by_state_and_as_failures(make: Make, points: Points, clock: Clock) -> None:
    breaker = make(slow_seconds=2.0)
    breaker.call(lambda: None)
    breaker.call(clock.advance, 2.0)
    for _ in range(5):
        with pytest.raises(ConnectionError):
            breaker.call(_fail)
    with pytest.raises(CircuitOpenError):
        breaker.call(_fail)
    clock.advance(60)
    breaker.call(lambda: None)
    calls = points("mita.circuit_breaker.calls")
    assert {outcome: count for (_, outcome), count in calls.items()} == {
        "success": 2, "slow_success": 1, "failure": 5, "slow_failure": 0, "rejected": 1, "ignored": 0,
    }  # fmt: skip
    requests = points("mita.circuit_breaker.requests")
    assert {state: count for (_, state), count in requests.items() if count} == {
        "closed": 7, "open": 1, "half_open": 1,
    }  # fmt: skip
    assert points("mita.circuit_breaker.failures") == {("api",): 5}
    assert points("mita.circuit_breaker.failure_rate") == {("api",): 5 / 8}
    durations = points("mita.circuit_breaker.call.duration")
    assert durations == {("api", "success"): 2, ("api", "slow_success"): 1, ("api", "failure"): 5}


def test_transitions_begin_at_zero_and_say_why(make: Make, points: Points) -> None:
    breaker = make()
    assert set(points("mita.circuit_breaker.transitions").values()) == {0}
    for _ in range(5):
        with pytest.raises(ConnectionError):
            breaker.call(_fail)
    changed = {change for change, count in points("mita.circuit_breaker.transitions").items() if count}
    assert changed == {("api", "closed", "open", "failures")}


def test_the_time_in_each_state_adds_up(make: Make, points: Points, clock: Clock) -> None:
    breaker = make()
    clock.advance(10)
    breaker.override(Override.FORCED_OPEN)
    clock.advance(5)
    breaker.override(None)
    clock.advance(1)
    spent = {state: seconds for (_, state), seconds in points("mita.circuit_breaker.state.duration").items() if seconds}
    assert spent == {"closed": 11, "forced_open": 5}


def test_what_would_have_been_refused_is_told(make: Make, points: Points) -> None:
    breaker = make(failure_threshold=2)
    breaker.override(Override.METRICS_ONLY)
    for _ in range(5):
        with pytest.raises(ConnectionError):
            breaker.call(_fail)
    assert points("mita.circuit_breaker.would_reject") == {("api",): 3}
    assert points("mita.circuit_breaker.would_open") == {("api",): 1}


def test_states_and_outcomes_of_the_catalogue_are_those_of_the_code() -> None:
    names = {attribute.name: attribute.values for attribute in catalogue.TRANSITIONS.attributes}
    assert names["from"] == names["to"] == tuple(State)
    assert set(names["reason"]) == set(Reason)
    assert set(catalogue.CALLS.attributes[1].values) == set(Outcome)


def test_a_refused_call_leads_to_the_traces_that_tripped_the_breaker(make: Make, tracer: Tracer) -> None:
    breaker = make(failure_threshold=3)
    _fail_in(tracer, breaker, 2)
    breaker.call(lambda: None)
    tripping = _fail_in(tracer, breaker, 3)
    span = _refuse_in(tracer, breaker)
    assert [link.context.trace_id for link in span.links] == tripping
    assert dict(span.links[0].attributes or {}) == {"mita.link.kind": "tripped_by", "circuit_breaker.name": "api"}
    assert dict(span.attributes or {}) == {
        "circuit_breaker.name": "api",
        "circuit_breaker.state": "open",
        "circuit_breaker.outcome": "rejected",
    }
    assert span.events[0].name == told.REJECTED_EVENT


def test_a_failed_probe_is_a_cause_too_and_a_recovery_forgets_all_of_them(
    make: Make, tracer: Tracer, clock: Clock
) -> None:
    breaker = make(failure_threshold=1, success_threshold=1)
    tripping = _fail_in(tracer, breaker, 1)
    clock.advance(60)
    tripping += _fail_in(tracer, breaker, 1)
    assert [link.context.trace_id for link in _refuse_in(tracer, breaker).links] == tripping
    clock.advance(60)
    breaker.call(lambda: None)
    assert breaker.causes == ()


def test_a_span_that_is_refused_again_and_again_has_each_link_once(make: Make, tracer: Tracer) -> None:
    breaker = make(failure_threshold=1)
    _fail_in(tracer, breaker, 1)
    with tracer.start_as_current_span("refused") as span:
        for _ in range(3):
            with pytest.raises(CircuitOpenError):
                breaker.call(_fail)
    assert isinstance(span, ReadableSpan)
    assert len(span.links) == 1


def test_a_trace_that_no_one_can_look_up_is_not_linked_to(make: Make, tracer: Tracer) -> None:
    breaker = make(failure_threshold=1)
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test")
    _fail_in(unsampled, breaker, 1)
    assert _refuse_in(tracer, breaker).links == ()


def test_a_change_of_state_is_an_event_of_the_log_and_of_the_span(
    make: Make, tracer: Tracer, caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter
) -> None:
    breaker = make(failure_threshold=1)
    (trace,) = _fail_in(tracer, breaker, 1)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "circuit breaker api: closed -> open (failures)")
    extra = {name: value for name, value in vars(record).items() if name.startswith(("event.", "circuit_breaker."))}
    assert extra == {
        "event.name": "mita.circuit_breaker.state_change",
        "circuit_breaker.name": "api",
        "circuit_breaker.state": "open",
        "circuit_breaker.state.previous": "closed",
        "circuit_breaker.reason": "failures",
        "circuit_breaker.causes": [f"{trace:032x}"],
    }
    (span,) = spans.get_finished_spans()
    assert told.EVENT in [event.name for event in span.events]


def test_a_call_that_goes_well_through_a_closed_breaker_leaves_no_mark(make: Make, tracer: Tracer) -> None:
    breaker = make()
    with tracer.start_as_current_span("fine") as span:
        breaker.call(lambda: None)
    assert isinstance(span, ReadableSpan)
    assert not span.attributes


def test_telemetry_that_fails_costs_no_call_anything(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    breaker = make(failure_threshold=1)
    for name in ("mark", "mark_rejected", "announce"):
        monkeypatch.setattr(told, name, broken)
    monkeypatch.setattr(breaker, "_durations", {})
    assert breaker.call(lambda: 7) == 7
    with pytest.raises(ConnectionError):
        breaker.call(_fail)
    with pytest.raises(CircuitOpenError):
        breaker.call(_fail)
