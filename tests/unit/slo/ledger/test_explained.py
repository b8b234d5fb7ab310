"""Who spent the budgets, by what a process has seen: of requests and events, and by the counts of its objectives."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from mita_otel import slo
from mita_otel.slo.ledger.causes import DIMENSIONS
from mita_otel.slo.ledger.explanation import UnknownObjectiveError
from mita_otel.traces import request
from tests.unit.slo import openslo

SPECIFICATION = openslo.specification(
    openslo.slo("available"),
    openslo.slo("fast", about="latency", ratio=openslo.LATENCY, target=0.9),
    openslo.slo("whole", ratio=openslo.requests("*"), window={"duration": "7d", "isRolling": True}),
    openslo.slo("told", about="correctness", ratio=openslo.EVENTS),
)
BEGAN = 1_790_000_000.0


class Clock:
    now = BEGAN

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def objectives(clock: Clock) -> Iterator[slo.Objectives]:
    made = slo.Objectives(SPECIFICATION, clock=clock)
    made.trace_url = "http://jaeger/trace/{trace_id}"
    slo.use(made)
    yield made
    slo.use(None)


def _of(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(each for each in told["slos"] if each["id"] == name)
    return found


def _names(told: Mapping[str, Any]) -> list[str]:
    return [each["id"] for each in told["slos"]]


def _first(told: Mapping[str, Any]) -> dict[str, str]:
    return {dimension: found[0]["contributor"] for dimension, found in told["contributors"].items()}


def test_good_events_spend_nothing(objectives: slo.Objectives) -> None:
    objectives.events.request("GET", "/orders/{id}", 200, 0.1)
    objectives.events.request("GET", "/orders/{id}", 404, 9)
    objectives.events.request("GET", "/orders/{id}", 499, 9)
    objectives.events.event("orders", good=True)
    assert objectives.explain()["slos"] == []


def test_a_failure_is_put_down_for_each_objective_that_it_is_bad_for(objectives: slo.Objectives) -> None:
    for status in (200, 200, 200, 500):
        objectives.events.request("GET", "/orders/{id}", status, 0.1, RuntimeError() if status == 500 else None)
    told = objectives.explain()
    assert (told["source"], told["scope"], _names(told)) == ("process", "process", ["available", "whole"])
    available = _of(told, "available")
    assert (available["bad"], available["total"], available["spent_ratio"]) == (1, 4, 250)
    assert _first(available) == {
        "route": "/orders/{id}", "error_type": "RuntimeError", "dependency": "none", "version": "none", "flag": "none"
    }  # fmt: skip


def test_a_slow_answer_spends_the_budgets_of_latency_alone(objectives: slo.Objectives) -> None:
    objectives.events.request("GET", "/orders/{id}", 200, 0.3)
    told = objectives.explain()
    assert _names(told) == ["fast"]
    assert _first(_of(told, "fast"))["error_type"] == "slow"


def test_the_one_that_spent_most_comes_first(objectives: slo.Objectives) -> None:
    for _ in range(3):
        objectives.events.request("GET", "/orders/{id}", 500, 0.1)
    for _ in range(100):
        objectives.events.event("orders", good=True)
    slo.event("orders", good=False)
    assert _names(objectives.explain()) == ["available", "whole", "told"]


def test_an_event_brings_the_trace_that_it_is_told_in(objectives: slo.Objectives) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("work") as span:
        slo.event("orders", good=False)
    [route] = _of(objectives.explain(), "told")["contributors"]["route"]
    trace_id = trace.format_trace_id(span.get_span_context().trace_id)
    assert route["traces"] == [
        {"trace_id": trace_id, "at": "2026-09-21T14:13:20.000+00:00", "url": f"http://jaeger/trace/{trace_id}"}
    ]


def test_what_fails_within_a_block_is_put_down_to_its_exception(objectives: slo.Objectives) -> None:
    token = request.begin()
    request.failed("postgresql/shop")
    with pytest.raises(KeyError), slo.outcome_of("orders"):
        raise KeyError
    request.restore(token)
    first = _first(_of(objectives.explain(), "told"))
    assert (first["error_type"], first["dependency"]) == ("KeyError", "postgresql/shop")


def test_a_window_is_told_with_what_was_watched_of_it(objectives: slo.Objectives, clock: Clock) -> None:
    objectives.events.request("GET", "/orders/{id}", 500, 0.1)
    for _ in range(30):
        clock.now += 60
        objectives.tick()
    objectives.events.request("GET", "/orders/{id}", 500, 0.1)
    whole, last = _of(objectives.explain(), "available"), _of(objectives.explain(window="10m"), "available")
    assert (whole["bad"], last["bad"]) == (2, 1)
    assert (whole["window"]["period"], last["window"]["period"]) == ("30d", "10m")
    assert last["window"]["seconds"] == pytest.approx(600, abs=60)
    assert last["coverage"] == 1 > whole["coverage"]


def test_one_objective_is_told_alone(objectives: slo.Objectives) -> None:
    objectives.events.request("GET", "/orders/{id}", 500, 0.1)
    assert _names(objectives.explain("whole")) == ["whole"]


def test_an_objective_that_is_not_there_is_told_with_the_nearest(objectives: slo.Objectives) -> None:
    with pytest.raises(UnknownObjectiveError, match="no objective is called 'availabel': 'available'\\?"):
        objectives.explain("availabel")


@pytest.mark.parametrize("window", ["soon", "-1h", "400d", ""])
def test_a_window_that_is_none_is_refused(objectives: slo.Objectives, window: str) -> None:
    with pytest.raises(ValueError, match=r"duration|long"):
        objectives.explain(window=window)


def test_a_fault_of_the_ledger_costs_nobody_anything(
    objectives: slo.Objectives, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("mita_otel.slo.ledger.causes._cause", fail)
    objectives.events.request("GET", "/orders/{id}", 500, 0.1)
    slo.event("orders", good=False)
    assert objectives.totals()["available"] == (0, 1)
    assert "the budget ledger failed" in caplog.text


requests = st.tuples(
    st.sampled_from(["/orders/{id}", "/orders/new", "/other", ""]),
    st.sampled_from([200, 201, 404, 429, 499, 500, 503]),
    st.sampled_from([0.1, 0.2, 0.3, 5.0]),
)


@given(st.lists(st.one_of(requests, st.booleans()), max_size=60))
def test_contributors_add_up_to_what_was_counted(events: list[tuple[str, int, float] | bool]) -> None:
    objectives = slo.Objectives(SPECIFICATION, clock=Clock())
    for event in events:
        if isinstance(event, bool):
            objectives.events.event("orders", good=event)
        else:
            route, status, seconds = event
            objectives.events.request("GET", route, status, seconds)
    told = {each["id"]: each for each in objectives.explain()["slos"]}
    for name, (good, bad) in objectives.totals().items():
        if not bad:
            assert name not in told
            continue
        assert (told[name]["bad"], told[name]["total"]) == (bad, good + bad)
        for dimension in DIMENSIONS:
            found = told[name]["contributors"][dimension]
            assert sum(each["bad"] for each in found) == bad
            assert sum(each["share"] for each in found) == pytest.approx(1)
