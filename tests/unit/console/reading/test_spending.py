"""How a budget was spent: bit by bit, and by what."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mita_otel.console.api.objectives_json import spending_json
from mita_otel.console.reading.spending import (
    CONTRIBUTORS_LIMIT,
    PARTS,
    TRACES_LIMIT,
    Spending,
    Told,
    services_of,
    spending_of,
)
from tests.fixtures.console_figures import Measured, gauge
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Sent, console_file, id_of, metrics, traces
from tests.fixtures.console_objectives import happened, promised, spent


def read(file: ConsoleFile, service: str = "shop", id_: str = "orders") -> Spending:
    found = file.reader.run(lambda connection: spending_of(connection, AT, service, id_))
    assert found is not None
    return found


def test_an_objective_that_nobody_has_is_none(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 9, 1)), *promised()))
    assert file.reader.run(lambda connection: spending_of(connection, AT, "shop", "order")) is None
    assert file.reader.run(lambda connection: spending_of(connection, AT, "bank", "orders")) is None


def test_services_that_have_an_objective_are_found(file: ConsoleFile) -> None:
    for service in ("shop", "bank"):
        file.send(metrics(service, happened((0, 9, 1))))
    assert file.reader.run(lambda connection: services_of(connection, AT, "orders")) == ["bank", "shop"]


def test_a_budget_burns_down_part_by_part(file: ConsoleFile) -> None:
    points = [(-1200, 0, 0), (-600, 500, 0), (-590, 500, 30), (0, 970, 30)]
    file.send(metrics("shop", happened(*points, start=-1201), *promised()))
    found = read(file)
    assert (len(found.parts), found.parts[-1].end, found.start) == (PARTS, AT, AT - 1200 * SECOND)
    assert found.left_at_start == 1
    (burnt,) = [part for part in found.parts if part.bad]
    assert (burnt.end, burnt.bad, burnt.good) == (AT - 590 * SECOND, 30, 0)
    assert found.parts[-1].remaining == pytest.approx(1 - 30 / 100)
    assert sum(part.good or 0 for part in found.parts) == 970


def test_where_nobody_counted_nothing_is_known(file: ConsoleFile) -> None:
    for start, good in ((-1200, 100), (-600, 200)):
        given = happened((start + 1, 0, 0), (start + 100, good, 1), start=start)
        for point in given.sum.data_points:
            point.attributes.add(key="process").value.string_value = str(start)
        file.send(metrics("shop", given, *promised()))
    unknown = [AT - part.end for part in read(file).parts if part.remaining is None]
    assert unknown
    assert all(0 <= ago <= 500 * SECOND or 590 * SECOND <= ago <= 1100 * SECOND for ago in unknown)
    assert all(part.bad is None for part in read(file).parts if part.remaining is None)


def test_what_was_spent_before_the_console_listened_is_told(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((-100, 850, 50), (0, 950, 50), start=-7200), *promised()))
    found = read(file)
    assert found.start == AT - 100 * SECOND
    assert found.left_at_start == pytest.approx(1 - 50 / 100, abs=0.01)


def test_contributors_are_by_dimension_those_that_spent_most_first(file: ConsoleFile) -> None:
    many = {f"/{number:02}": 30.0 - number for number in range(CONTRIBUTORS_LIMIT + 3)}
    file.send(
        metrics("shop", happened((0, 900, 315)), *promised(), spent({"version": {"1.2": 315}, "route": many})),
        metrics("shop", spent({"route": {"/elsewhere": 9}}, slo="others")),
    )
    route, version = read(file).ledger
    assert (route.name, route.bad, route.left_out) == ("route", sum(many.values()), 3)
    assert [each.name for each in route.contributors] == list(many)[:CONTRIBUTORS_LIMIT]
    assert [(each.name, each.bad, each.traces) for each in version.contributors] == [("1.2", 315, [])]


def test_what_spent_nothing_contributed_nothing(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 900, 0)), *promised(), spent({"route": {"/": 0}})))
    assert read(file).ledger == []


def test_a_contributor_has_its_newest_traces_that_are_here(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 900, 9)), *promised()))
    for number in range(1, 7):
        given = spent({"route": {"/": float(number)}}, trace=number)
        for point in given.sum.data_points:
            point.time_unix_nano -= (10 - number) * SECOND * 1000
            point.exemplars[0].time_unix_nano = point.time_unix_nano
        file.send(metrics("shop", given))
        if number != 5:
            file.send(traces("shop", Sent(trace=number, id=number)))
    (contributor,) = read(file).ledger[0].contributors
    assert contributor.traces == [(id_of(number, 16).hex(), AT - (10 - number) * SECOND) for number in (6, 4, 3)]
    assert len(contributor.traces) == TRACES_LIMIT


def test_what_the_service_says_of_all_its_replicas_is_told_beside(file: ConsoleFile) -> None:
    file.send(metrics("shop", happened((0, 90, 10)), *promised()))
    assert read(file).told is None
    for scope, value in (("process", 0.1), ("service", 0.4)):
        labels = {"slo": "orders", "scope": scope}
        file.send(metrics("shop", gauge("mita.slo.error_budget.remaining", Measured(value, -5, labels=labels))))
    assert read(file).told == Told(None, 0.4, AT - 5 * SECOND)


NUMBERS = st.floats() | st.integers(-5, 5).map(float)
TIMES = st.integers(-40 * 86_400, 100) | st.sampled_from([-(AT // SECOND), AT // SECOND])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(NUMBERS, st.text(max_size=8) | st.sampled_from(["1d", "366d", "1s", "month", "week Africa/Cairo"])),
    st.lists(st.tuples(TIMES, NUMBERS, NUMBERS), min_size=1, max_size=5),
    TIMES,
    st.lists(st.tuples(st.text(max_size=3), NUMBERS), max_size=3),
)
def test_whatever_is_told_there_is_an_answer(
    tmp_path_factory: pytest.TempPathFactory,
    promise: tuple[float, str],
    points: list[tuple[int, float, float]],
    start: int,
    stages: list[tuple[str, float]],
) -> None:
    objective, period = promise
    policy = [Measured(value, labels={"period": period, "stage": name, "action": name}) for name, value in stages]
    with console_file(tmp_path_factory.mktemp("spending")) as file:
        file.send(
            metrics("shop", happened(*points, start=start), *promised(objective=objective, period=period)),
            metrics("shop", gauge("mita.slo.stage", *policy), spent({"route": {"/": points[0][1]}}, trace=1)),
        )
        found = file.reader.run(lambda connection: spending_of(connection, AT, "shop", "orders"))
    if found is None:  # nothing of it is of the period
        return
    told = orjson.loads(orjson.dumps(spending_json(found)))
    remaining = told["objective"]["error_budget"]["remaining_ratio"]
    assert (remaining is None) == (told["objective"]["state"] in {"no_data", "invalid"})
    assert remaining is None or remaining <= 1 + 1e-9
    assert 0 <= told["objective"]["coverage"] <= 1
