import json
import os
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.degradation import context
from mita_otel.slo.alerts import Alarm, Window
from mita_otel.slo.budget import Count
from mita_otel.slo.engine import Engine, Judgement
from mita_otel.slo.policy import State
from mita_otel.slo.report import attributes, report
from mita_otel.slo.running import Objectives
from mita_otel.slo.sources import Seen, Sight
from mita_otel.slo.specification import Indicator, Specification, load
from mita_otel.slo.windows import WINDOWS
from tests.fixtures.service import ROOT
from tests.unit.slo.openslo import LATENCY, requests, slo, specification

BEGAN = 1_790_000_400.0
SPECIFICATION = specification(
    slo("available", ratio=requests("*")),
    slo("fast", about="latency", ratio={**LATENCY, "total": requests("*")["total"]}, target=0.95),
    slo("minor", ratio=requests("/orders/*"), tier="3"),
)


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now


class Given:
    """A source that sees what it is given; nothing by default."""

    def __init__(self, of: Specification = SPECIFICATION) -> None:
        self.of = of
        self.seen: Seen | None = None

    def see(self, count: Count, *, coverage: float = 1.0, continuity: float = 1.0) -> None:
        windows = {length: Window(count, coverage) for length in WINDOWS.values()}
        self.seen = Seen(windows, Window(count, coverage), continuity)

    def look(self, now: float) -> Sight | None:
        if self.seen is None:
            return None
        seen: Mapping[str, Seen] = {each.id: self.seen for each in self.of.slos}
        return Sight(source="given", scope="service", watermark=now, since=None, seen=seen)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def given_source() -> Given:
    return Given()


@pytest.fixture
def objectives(clock: Clock, given_source: Given) -> Objectives:
    return Objectives(SPECIFICATION, [given_source], clock)


def _of(objectives: Objectives, name: str) -> Judgement:
    found = objectives.engine.status().of(name)
    assert found is not None
    return found


def _run(objectives: Objectives, clock: Clock, minutes: int, *, good: int, bad: int) -> None:
    """Let so many minutes pass, with so many requests in each."""
    for _ in range(minutes):
        for status, times in ((200, good), (500, bad)):
            for _ in range(times):
                objectives.events.request("GET", "/orders", status, 0.1)
        clock.now += 60
        objectives.tick()


def test_nothing_is_known_before_anything_happened(objectives: Objectives) -> None:
    judged = _of(objectives, "available")
    assert (judged.state, judged.stage, judged.countdown) == (State.NO_DATA, None, None)
    told = report(objectives.engine.status())
    assert told["overall_status"] == "unknown"
    assert (told["availability"]["current"], told["availability"]["compliant"]) == (None, None)


def test_a_process_tells_of_itself_where_nobody_knows_more(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 3, good=10, bad=0)
    status = objectives.engine.status()
    assert (status.sight.source, status.sight.scope, status.sight.since) == ("process", "process", BEGAN)
    assert _of(objectives, "available").budget.count == Count(30)


def test_who_knows_more_is_asked_first(objectives: Objectives, clock: Clock, given_source: Given) -> None:
    _run(objectives, clock, 1, good=10, bad=0)
    given_source.see(Count(9_999, 1))
    clock.now += 2
    assert objectives.engine.status().sight.source == "given"
    assert _of(objectives, "available").budget.count == Count(9_999, 1)
    given_source.seen = None
    clock.now += 2
    assert objectives.engine.status().sight.source == "process"


def test_an_outage_pages_once_an_hour_was_watched(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 5, good=0, bad=20)
    assert {alert.alarm for alert in _of(objectives, "available").alerts} == {Alarm.FROZEN}
    _run(objectives, clock, 60, good=0, bad=20)
    first, *others = _of(objectives, "available").alerts
    assert (first.alarm, first.firing) == (Alarm.FIRING, True)
    assert {alert.alarm for alert in others} == {Alarm.FROZEN}
    _run(objectives, clock, 6, good=20, bad=0)
    assert not _of(objectives, "available").alerts[0].firing


def test_an_alert_that_fires_goes_on_while_nobody_looks(
    objectives: Objectives, clock: Clock, given_source: Given
) -> None:
    given_source.see(Count(0, 100))
    assert all(alert.firing for alert in _of(objectives, "available").alerts)
    given_source.see(Count(100), coverage=0.5)
    clock.now += 2
    assert all(alert.firing and alert.alarm is Alarm.FROZEN for alert in _of(objectives, "available").alerts)
    given_source.see(Count(100))
    clock.now += 2
    assert not any(alert.firing for alert in _of(objectives, "available").alerts)


@pytest.mark.parametrize(
    ("count", "state"),
    [
        (Count(10_000, 1), State.OK),
        (Count(10_000, 11), State.EXHAUSTED),
        (Count(), State.NO_DATA),
        (Count(-1, 5), State.INVALID),
        (Count(5, -1), State.INVALID),
    ],
)
def test_a_state_is_told_of_what_was_seen(
    objectives: Objectives, given_source: Given, count: Count, state: State
) -> None:
    given_source.see(count)
    assert _of(objectives, "available").state is state


def test_a_source_with_gaps_says_nothing(objectives: Objectives, given_source: Given) -> None:
    given_source.see(Count(10_000), continuity=0.89)
    assert _of(objectives, "available").state is State.NO_DATA


def test_a_stage_is_left_only_when_more_has_come_back(
    objectives: Objectives, clock: Clock, given_source: Given
) -> None:
    stages = []
    for bad in (240, 260, 245, 225):
        given_source.see(Count(1_000_000 - bad, bad))
        clock.now += 2
        stage = _of(objectives, "available").stage
        stages.append(None if stage is None else stage.name)
    assert stages == ["normal", "caution", "caution", "normal"]


def test_the_whole_is_as_bad_as_the_worst_that_matters(objectives: Objectives, clock: Clock) -> None:
    for _ in range(100):
        objectives.events.request("GET", "/tills", 200, 0.1)
    for _ in range(10):
        objectives.events.request("GET", "/tills", 200, 9)
    clock.now += 2
    status = objectives.engine.status()
    assert (status.state, _of(objectives, "available").state) == (State.EXHAUSTED, State.OK)
    assert report(status)["overall_status"] == "exhausted"


def test_what_matters_least_does_not_count_for_the_whole(objectives: Objectives, clock: Clock) -> None:
    for number in range(20_000):
        objectives.events.request("GET", "/orders" if number < 500 else "/tills", 500 if number == 0 else 200, 0.1)
    clock.now += 2
    assert _of(objectives, "minor").state is State.EXHAUSTED
    assert objectives.engine.status().state is not State.EXHAUSTED


def test_the_report_has_the_keys_that_were_asked_for(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 1, good=999, bad=1)
    told: dict[str, Any] = objectives.report()
    assert set(told["measurement_window"]) == {"start", "end", "days"}
    assert told["availability"] == {
        "target": 99.9,
        "current": 99.9,
        "compliant": True,
        "total_requests": 1000,
        "successful_requests": 999,
        "failed_requests": 1,
        "error_budget_remaining": 0.0,
        "status": "exhausted",
    }
    assert told["latency"]["p95"]["target_ms"] == 200
    assert 75 <= told["latency"]["p95"]["current_ms"] <= 100
    assert told["error_budget"]["availability"] == {
        "budget_allowed": 0.1,
        "budget_consumed": 0.1,
        "budget_remaining_pct": 0.0,
        "burn_rate": 1.0,
        "status": "exhausted",
        "recommended_action": "complete_deployment_freeze",
    }
    assert set(told["error_budget"]) == {"availability", "latency_p95"}


REPORTED = {
    "measurement_window": {"start", "end", "days"},
    "availability": {
        *("target", "current", "compliant"),
        *("total_requests", "successful_requests", "failed_requests"),
        *("error_budget_remaining", "status"),
    },
    "latency.p50": {"status"},
    "latency.p95": {"target_ms", "current_ms", "compliant", "status"},
    "latency.p99": {"target_ms", "current_ms", "compliant", "status"},
    "error_budget.availability": {
        *("budget_allowed", "budget_consumed", "budget_remaining_pct"),
        *("burn_rate", "status", "recommended_action"),
    },
    "overall_status": set(),
}
"""The keys of the report's sections 7.4 and 6.1 #2."""


@pytest.mark.parametrize("seen", [None, Count(), Count(9_990, 10), Count(0, 5), Count(-1, 3)], ids=str)
def test_what_is_told_holds_to_a_schema_that_has_the_reports_keys(seen: Count | None) -> None:
    schema = json.loads((ROOT / "collector" / "slo" / "status.schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    written = load(ROOT / "collector" / "slo" / "mita.yaml")
    source = Given(written)
    if seen is not None:
        source.see(seen)
    told = Objectives(written, [source]).report() | {"source": "redis"}
    assert [error.message for error in validator.iter_errors(told)] == []
    for path, keys in REPORTED.items():
        found = told
        for key in path.split("."):
            found = found[key]
        assert not keys or keys <= found.keys()
    for key in told:
        assert not validator.is_valid({name: value for name, value in told.items() if name != key})
    assert set(told["latency"]) == {"p50", "p95", "p99"}
    assert told["correctness"]["target"] == 99.99
    assert told["throughput"]["target"] == 1000


def test_a_rate_is_what_was_answered_in_its_window(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 10, good=60, bad=0)
    rate = Indicator(id="rate", description="", metric="http.server.request.duration", over=300, reference=1000)
    told = report(objectives.engine.status(), indicators=[rate])["throughput"]
    assert told == {"target": 1000, "current": 1.0, "unit": "requests/s", "window": "5m", "coverage": 1.0}


def test_flags_may_be_decided_by_what_is_left(objectives: Objectives, given_source: Given) -> None:
    given_source.see(Count(9_995, 5))
    told = attributes(objectives.engine.status())
    assert told["slo.available.budget_remaining"] == pytest.approx(0.5)
    assert told["slo.available.burn_1h"] == pytest.approx(0.5)
    assert context(**told).attributes["slo.available.budget_remaining"] == pytest.approx(0.5)


def test_what_is_not_known_decides_nothing(objectives: Objectives) -> None:
    assert attributes(objectives.engine.status()) == {}


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 8)), min_size=1, max_size=12),
)
def test_windows_and_budget_are_what_counting_one_by_one_says(stream: list[tuple[int, int, int]]) -> None:
    clock = Clock()
    objectives = Objectives(SPECIFICATION, (), clock)
    happened: list[tuple[float, bool]] = []
    for good, bad, minutes in stream:
        for status, times in ((200, good), (500, bad)):
            for _ in range(times):
                objectives.events.request("GET", "/orders", status, 0.1)
                happened.append((clock.now, status == 200))
        for _ in range(minutes):
            clock.now += 60
            objectives.tick()
    judged = _of(objectives, "available")
    for name, length in WINDOWS.items():
        if length > 3 * 86_400:
            continue
        recent = [good for at, good in happened if at >= clock.now - length]
        burn = judged.burn[name]
        assert (burn is None) == (not recent)
        if burn is not None:
            assert burn == pytest.approx(recent.count(False) / len(recent) / 0.001)
    everything = [good for _, good in happened]
    assert judged.budget.count == Count(everything.count(True), everything.count(False))


@pytest.mark.parametrize(
    ("night", "hours"),
    [(datetime(2026, 3, 29, tzinfo=UTC), 23), (datetime(2026, 10, 25, tzinfo=UTC), 25)],
    ids=["23", "25"],
)
def test_a_week_whose_clocks_change_has_the_events_and_the_hours_that_it_had(night: datetime, hours: int) -> None:
    calendar = {"startTime": "2026-01-05", "timeZone": "Europe/Berlin"}
    week = slo("weekly", ratio=requests("*"), window={"duration": "1w", "isRolling": False, "calendar": calendar})
    clock = Clock()
    # From the Saturday before until the next Monday's midnight, one event an hour.
    midnight = datetime(night.year, night.month, night.day - 1, tzinfo=ZoneInfo("Europe/Berlin"))
    clock.now = midnight.timestamp() + 1
    objectives = Objectives(specification(week), (), clock)
    for hour in range(24 + hours):
        if hour:
            clock.now += 3_600
            objectives.tick()
        objectives.events.request("GET", "/orders", 200, 0.1)
    judged = _of(objectives, "weekly")
    assert (judged.budget.count, judged.budget.period) == (Count(24 + hours), (6 * 24 + hours) * 3_600)
    assert judged.elapsed == pytest.approx(1 - 3_600 / judged.budget.period, abs=1e-4)
    clock.now += 3_600
    objectives.tick()
    # Monday: a new budget, of which nothing is spent.
    assert _of(objectives, "weekly").budget.count == Count()


def test_threads_may_ask_at_once(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 2, good=5, bad=0)
    states: list[State] = []
    threads = [threading.Thread(target=lambda: states.append(objectives.engine.status().state)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == [State.OK] * 8


def test_a_judgement_holds_for_a_second(clock: Clock, given_source: Given) -> None:
    engine = Engine(SPECIFICATION.slos, [given_source], clock)
    given_source.see(Count(1))
    first = engine.status()
    clock.now += 0.5
    assert engine.status() is first
    clock.now += 1
    assert engine.status() is not first


def test_a_forked_child_judges_though_a_thread_of_its_parent_was_judging(objectives: Objectives, clock: Clock) -> None:
    _run(objectives, clock, 2, good=5, bad=0)
    with objectives.engine._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            os._exit(int(objectives.engine.status().state is not State.NO_DATA))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert objectives.engine.status().state is State.OK
