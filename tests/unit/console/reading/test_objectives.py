"""How objectives stand is read from what services counted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mita_otel.console.reading import objectives, spending
from mita_otel.console.reading.objectives import Objective, Objectives, grid_of, objectives_of
from mita_otel.metrics.catalogue import slo as catalogue
from mita_otel.slo.policy import State
from tests.fixtures.console_figures import Measured, gauge
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, console_file, metrics
from tests.fixtures.console_objectives import happened, promised

DAY = 86_400


def read(file: ConsoleFile, service: str = "") -> Objectives:
    return file.reader.run(lambda connection: objectives_of(connection, AT, service))


def only(file: ConsoleFile) -> Objective:
    (found,) = read(file).all
    return found


def test_the_names_are_the_catalogue_s() -> None:
    assert {
        objectives.EVENTS: catalogue.EVENTS.name,
        objectives.OBJECTIVE: catalogue.OBJECTIVE.name,
        objectives.INFO: catalogue.INFO.name,
        objectives.STAGE: catalogue.STAGE.name,
        spending.SPENT: catalogue.SPENT.name,
        spending.SLI: catalogue.SLI.name,
        spending.REMAINING: catalogue.BUDGET_REMAINING.name,
    } == {own: own for module in (objectives, spending) for own in _names(module)}


def _names(module: object) -> list[str]:
    constants = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]
    return [value for value in constants if value.startswith("mita.")]


def test_an_empty_console_has_no_objectives(file: ConsoleFile) -> None:
    assert read(file).all == []


def test_an_objective_has_its_budget_and_its_burn(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-7200, 900, 60), (-1800, 930, 60), (0, 958, 62)), *promised()))
    found = only(file)
    assert (found.service, found.id, found.promise.objective) == ("shop", "orders", 0.9)
    assert (found.count.good, found.count.bad) == (958, 62)
    assert found.remaining == pytest.approx(1 - 62 / 102)
    assert found.burn["5m"] == pytest.approx(2 / 30 / 0.1)
    assert found.burn["1h"] == pytest.approx(2 / 60 / 0.1)
    assert found.burn["3d"] == pytest.approx(62 / 1020 / 0.1)
    assert (found.state, found.stage and found.stage.name) == (State.OK, "slowdown")
    assert found.coverage == pytest.approx(1 / 30)
    assert found.since == AT - DAY * SECOND
    assert found.countdown == pytest.approx((1 - 62 / 102) * 30 * DAY / (2 / 60 / 0.1))


def test_an_overspent_budget_is_negative(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 60, 40)), *promised()))
    found = only(file)
    assert found.remaining == pytest.approx(-3)
    assert (found.state, found.countdown) == (State.EXHAUSTED, 0)


def test_without_events_nothing_is_known(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-60, 0, 0), (0, 0, 0)), *promised()))
    found = only(file)
    assert (found.state, found.remaining, found.stage, found.count.sli) == (State.NO_DATA, None, None, None)
    assert set(found.burn.values()) == {None}
    assert set(found.trend) == {None}


def test_without_an_objective_nothing_is_judged(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 60, 40))))
    found = only(file)
    assert (found.state, found.budget, found.count.sli, found.alerts) == (State.NO_DATA, None, 0.6, [])


@pytest.mark.parametrize("objective", [0.0, 1.0, -1.0, 7.0, float("inf"), 1 - 1e-15])
def test_an_objective_that_cannot_be_is_none(file: ConsoleFile, objective: float) -> None:
    file.send(metrics("shop", happened((0, 60, 40)), *promised(objective=objective)))
    assert only(file).budget is None


def test_counts_that_cannot_be_are_not_judged(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, float("inf"), 40)), *promised()))
    found = only(file)
    assert (found.state, found.remaining, found.stage) == (State.INVALID, None, None)


def test_replicas_and_restarts_are_added_up(file: ConsoleFile) -> None:
    for replica, start in (("1", -3000), ("1", -900), ("2", -2000)):
        given = happened((start + 60, 50, 1), (start + 600, 90, 3), start=start)
        for each in given.sum.data_points:
            each.attributes.add(key="replica").value.string_value = replica
        file.send(metrics("shop", given, *promised()))
    found = only(file)
    assert (found.count.good, found.count.bad) == (270, 9)


def test_what_was_counted_before_the_console_listened_is_the_period_s_and_no_window_s(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-200, 900, 90), (0, 909, 91), start=-20 * DAY), *promised()))
    found = only(file)
    assert (found.count.good, found.count.bad) == (909, 91)
    assert found.burn["1h"] == pytest.approx(0.1 / 0.1)
    assert found.coverage == pytest.approx(20 / 30)


def test_what_was_counted_before_the_period_is_not_meant(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-200, 900, 90), (0, 909, 91), start=-40 * DAY), *promised()))
    assert (only(file).count.good, only(file).count.bad) == (9, 1)


def test_a_calendar_s_period_begins_where_people_are(file: ConsoleFile) -> None:
    start = (1_788_220_800 - AT // SECOND) - 7200  # 2026-09-01 00:00 UTC, less two hours
    events = happened((start + 600, 90, 9), (start + 7800, 190, 19), (0, 290, 19), start=start - 600)
    file.send(metrics("shop", events, *promised(period="month Europe/Berlin")))
    assert only(file).count.total == 290 - 90 + 19 - 9
    file.send(metrics("shop", *promised(period="month")))
    assert only(file).count.good in {100, 200}


@pytest.mark.parametrize("period", ["", "soon", "month ../etc", "9" * 80])
def test_a_period_that_cannot_be_read_is_thirty_days(file: ConsoleFile, period: str) -> None:
    file.send(metrics("shop", happened((0, 60, 40)), *promised(period=period)))
    assert only(file).promise.period == objectives.UNTOLD


def test_alerts_are_frozen_where_nobody_watched(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-2000, 0, 0), (0, 0, 80), start=-2000), *promised()))
    states = {f"{rule.severity} {rule.long}": alarm.value for rule, alarm in only(file).alerts}
    assert states["page 3600"] == "frozen"
    file.send(metrics("bank", happened((-8000, 0, 0), (-200, 10, 60), (0, 10, 90), start=-8000), *promised()))
    (bank,) = read(file, "bank").all
    assert {rule.long: alarm.value for rule, alarm in bank.alerts}[3600] == "firing"


def test_a_service_has_the_stages_of_its_own_policy(file: ConsoleFile) -> None:
    stages = [
        Measured(begin, labels={"period": "30d", "stage": name, "action": action})
        for begin, name, action in ((0.4, "late", "stop"), (0, "normal", "normal_operations"))
    ]
    file.send(metrics("shop", happened((0, 95, 5)), *promised(), gauge("mita.slo.stage", *stages)))
    found = only(file)
    assert [(each.name, each.above) for each in found.promise.stages] == [("normal", 0.6), ("late", float("-inf"))]
    assert found.stage
    assert (found.stage.name, found.stage.action, found.stage.actions) == ("late", "stop", ())


def test_the_worst_come_first(file: ConsoleFile) -> None:
    for slo, bad in (("fine", 1), ("spent", 50), ("more", 90), ("silent", None)):
        good = 0 if bad is None else 100
        file.send(metrics("shop", happened((0, good, bad or 0), slo=slo), *promised(slo)))
    assert [each.id for each in read(file).all] == ["more", "spent", "fine", "silent"]


def test_the_newest_that_is_told_counts(file: ConsoleFile) -> None:
    older = gauge("mita.slo.objective", Measured(0.5, -20, labels={"slo": "orders", "process": "1"}))
    file.send(metrics("shop", happened((0, 60, 40)), older, *promised(objective=0.8)))
    assert only(file).promise.objective == 0.8


def test_a_trend_goes_from_a_full_budget_to_what_is_left(file: ConsoleFile) -> None:
    points = [(time, 10.0 * number, number // 10) for number, time in enumerate(range(-3600, 1, 60))]
    file.send(metrics("shop", happened(*points, start=-3660), *promised()))
    found = read(file)
    trend = [value for value in found.all[0].trend if value is not None]
    assert len(found.all[0].trend) == objectives.PARTS
    assert trend == sorted(trend, reverse=True)
    assert trend[0] == 1
    assert trend[-1] == pytest.approx(found.all[0].remaining)
    assert found.start + objectives.PARTS * found.step == AT


@given(st.integers(-40 * DAY, 0), st.integers(-31 * DAY, 0), st.integers(1, 200))
def test_a_grid_parts_the_time_until_now(first: int, begin: int, parts: int) -> None:
    grid = grid_of(first * SECOND, begin * SECOND, 0, parts)
    assert grid[-1] == 0
    assert 2 <= len(grid) <= parts + 1
    assert grid[1] - grid[0] >= SECOND
    assert grid[0] <= max(first, begin) * SECOND or len(grid) == 2
    assert max(first, begin) * SECOND - grid[0] <= max(parts, 1) * SECOND


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(0.001, 0.99999),
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(2, 1000),
)
def test_any_events_make_the_budget_of_counting_them(
    tmp_path_factory: pytest.TempPathFactory, objective: float, minutes: list[tuple[int, int]], step: int
) -> None:
    points, good, bad = [], 0, 0
    for number, (more_good, more_bad) in enumerate(minutes):
        good, bad = good + more_good, bad + more_bad
        points.append((-step * (len(minutes) - number - 1), good, bad))
    with console_file(tmp_path_factory.mktemp("objectives")) as file:
        file.send(metrics("shop", happened(*points, start=points[0][0] - 1), *promised(objective=objective)))
        found = only(file)
    assert (found.count.good, found.count.bad) == (good, bad)
    if good + bad == 0:
        assert (found.remaining, found.state) == (None, State.NO_DATA)
        return
    assert found.remaining == pytest.approx(1 - bad / (good + bad) / (1 - objective), rel=1e-6, abs=1e-6)
    known = [value for value in found.trend if value is not None]
    assert known == sorted(known, reverse=True)
    assert known[-1] == pytest.approx(found.remaining)
