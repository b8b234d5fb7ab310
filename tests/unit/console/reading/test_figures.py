"""Values that stand, and what was counted within a stretch of time."""

import pytest

from mita_otel.console.reading.figures import HOLDS, Figures, Value, by
from tests.fixtures.console_figures import DELTA, Measured, counter, gauge, histogram
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, metrics


def figures(file: ConsoleFile, seconds: int = 900, service: str = "") -> Figures:
    """Return those of the last seconds before AT."""
    return file.reader.run(lambda connection: Figures(connection, AT - seconds * SECOND, AT, service))


def grown(file: ConsoleFile) -> list[float]:
    return [value.value for value in figures(file).grown("calls")]


def test_a_gauge_has_its_last_value(file: ConsoleFile) -> None:
    file.send(metrics("a", gauge("g", Measured(5, time=-60), Measured(7, time=-10), Measured(9, time=1))))
    assert figures(file).now("g") == [Value("a", {}, 7.0, AT - 10 * SECOND)]


def test_processes_that_ended_do_not_stand_beside_those_that_live(file: ConsoleFile) -> None:
    ended = -HOLDS // SECOND - 11
    file.send(metrics("a", gauge("g", Measured(1, ended, labels={"k": "old"}), Measured(2, -10, labels={"k": "new"}))))
    assert [value.labels["k"] for value in figures(file).now("g")] == ["new"]


def test_where_points_come_often_a_process_has_soon_ended(file: ConsoleFile) -> None:
    ended = [Measured(1, time, labels={"k": "old"}) for time in (-42, -37)]
    late = [Measured(1, time, labels={"k": "late"}) for time in (-30, -20)]
    file.send(metrics("a", gauge("g", *ended, *late, Measured(2, -1, labels={"k": "new"}))))
    assert sorted(value.labels["k"] for value in figures(file).now("g")) == ["late", "new"]


def test_series_with_huge_labels_are_left_out(file: ConsoleFile) -> None:
    file.send(metrics("a", gauge("g", Measured(1, -1, labels={"k": "x" * 5_000}), Measured(2, -1))))
    assert [value.value for value in figures(file).now("g")] == [2]


def test_of_a_service_that_is_gone_the_last_values_stand(file: ConsoleFile) -> None:
    file.send(metrics("gone", gauge("g", Measured(1, -5000))), metrics("here", gauge("g", Measured(2, -10))))
    assert {value.service: value.value for value in figures(file).now("g")} == {"gone": 1.0, "here": 2.0}
    assert [value.service for value in figures(file, service="gone").now("g")] == ["gone"]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([Measured(10, -1000), Measured(14, -500), Measured(17, -5)], 7, id="from-what-stood-before"),
        pytest.param([Measured(10, -1000), Measured(10, -5)], 0, id="nothing"),
        pytest.param([Measured(10, -1000)], 0, id="no-point-within"),
        pytest.param([Measured(4, -500, start=-600), Measured(6, -5, start=-600)], 6, id="began-within"),
        pytest.param([Measured(4, -500, start=-5000), Measured(6, -5, start=-5000)], 2, id="heard-of-since"),
        pytest.param(
            [Measured(10, -1000), Measured(15, -600), Measured(2, -500, start=-550), Measured(3, -5, start=-550)],
            8,
            id="restarted",
        ),
        pytest.param([Measured(10, -1000), Measured(4, -5)], 4, id="fell-without-a-new-start"),
    ],
)
def test_a_counter_has_what_it_counted(file: ConsoleFile, points: list[Measured], expected: float) -> None:
    file.send(metrics("a", counter("calls", *points)))
    assert grown(file) == [expected]


def test_differences_are_added_up(file: ConsoleFile) -> None:
    points = [Measured(value, time) for value, time in ((100, -901), (2, -800), (3, -5))]
    file.send(metrics("a", counter("calls", *points, temporality=DELTA)))
    assert grown(file) == [5]


@pytest.mark.parametrize("temporality", [2, DELTA])
def test_a_histogram_has_what_it_recorded(file: ConsoleFile, temporality: int) -> None:
    before = (Measured(time=-1000, labels={"policy": "api"}), [1000, 0, 0])
    after = (Measured(time=-5, labels={"policy": "api"}), [1000, 10, 0] if temporality != DELTA else [0, 10, 0])
    file.send(metrics("a", histogram("used", before, after, bounds=[0.1, 0.2], temporality=temporality)))
    found = figures(file).recorded("used", "policy")
    assert list(found) == [("a", "api")]
    assert found["a", "api"].quantile(0.5) == pytest.approx(0.15)


def test_a_histogram_that_recorded_nothing_has_no_distribution(file: ConsoleFile) -> None:
    points = [(Measured(time=time), [5, 0]) for time in (-1000, -5)]
    file.send(metrics("a", histogram("used", *points, bounds=[1])))
    assert figures(file).recorded("used", "policy") == {}


def test_values_are_added_up_over_processes() -> None:
    values = [
        Value("a", {"service": "bank", "state": state}, value, 0)
        for state, value in (("open", 1), ("open", 1), ("closed", 1))
    ]
    assert by(values, "service", label="state") == {("a", "bank"): {"open": 2, "closed": 1}}
    assert by(values, "service") == {("a", "bank"): {"": 3}}
