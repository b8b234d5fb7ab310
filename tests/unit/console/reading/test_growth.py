"""What counters counted between moments, whatever restarts, replicas and gaps there were."""

import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from mita_otel.console.reading.counted import Sum
from mita_otel.console.reading.growth import Growth, Lump, Watch, coverage, growths, series_of
from tests.fixtures.console_figures import DELTA, Measured, counter
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, console_file, metrics

MOMENTS = (-600, -300, -60, 0)


def grown(file: ConsoleFile, *seconds: int, labels: dict[str, str] | None = None) -> list[Growth]:
    """Return what each series counted between moments, in seconds after AT."""
    moments = [AT + each * SECOND for each in seconds or MOMENTS]

    def read(connection: sqlite3.Connection) -> list[Growth]:
        return list(growths(connection, series_of(connection, "calls", moments[-1], labels=labels), moments))

    return file.reader.run(read)


def one(file: ConsoleFile, *points: Measured) -> Growth:
    file.send(metrics("a", counter("calls", *points)))
    (found,) = grown(file)
    return found


@pytest.mark.parametrize(
    ("points", "amounts", "lumps"),
    [
        pytest.param([Measured(5, -700), Measured(9, -400), Measured(12, -10)], [4, 0, 3], [], id="from-before"),
        pytest.param([Measured(5, -700), Measured(5, -10)], [0, 0, 0], [], id="nothing"),
        pytest.param([Measured(5, -400), Measured(7, -10)], [0, 0, 2], [], id="heard-of-since"),
        pytest.param([Measured(5, -200, start=-500), Measured(7, -10, start=-500)], [0, 0, 2], [5], id="began-within"),
        pytest.param(
            [Measured(5, -700), Measured(9, -500), Measured(2, -400, start=-450), Measured(3, -10, start=-450)],
            [4, 0, 1],
            [2],
            id="restarted",
        ),
        pytest.param(
            [Measured(1, -50, start=-51), Measured(4, -40, start=-51), Measured(2, -20, start=-21)],
            [0, 0, 3],
            [1, 2],
            id="restarted-as-it-came",
        ),
        pytest.param([Measured(9, -700), Measured(4, -400), Measured(5, -10)], [4, 0, 1], [], id="fell"),
    ],
)  # fmt: skip
def test_a_counter_has_what_it_counted_between_moments(
    file: ConsoleFile, points: list[Measured], amounts: list[float], lumps: list[float]
) -> None:
    found = one(file, *points)
    assert found.amounts == amounts
    assert [lump.amount for lump in found.lumps] == lumps


def test_deltas_are_added_up(file: ConsoleFile) -> None:
    points = [Measured(2, -590, start=-610), Measured(3, -100, start=-110), Measured(4, -1, start=-2)]
    file.send(metrics("a", counter("calls", *points, temporality=DELTA)))
    (found,) = grown(file)
    assert found.amounts == [2, 3, 4]
    begins, ends = ([AT + each * SECOND for each in those] for those in ((-610, -110, -2), (-590, -100, -1)))
    assert found.watched == [Watch(begin, begin, end) for begin, end in zip(begins, ends, strict=True)]


def test_series_are_chosen_by_a_label(file: ConsoleFile) -> None:
    points = [Measured(value, -1, start=-5, labels={"slo": name}) for name, value in (("a", 1), ('a"b', 2), ("ab", 3))]
    file.send(metrics("shop", counter("calls", *points)))
    assert [each.lumps[0].amount for each in grown(file, labels={"slo": 'a"b'})] == [2]
    assert len(grown(file)) == 3


def test_what_came_later_is_not_meant(file: ConsoleFile) -> None:
    assert one(file, Measured(1, -700), Measured(3, -10), Measured(9, 5)).amounts == [0, 0, 2]


def test_a_series_that_ended_before_is_not_there(file: ConsoleFile) -> None:
    file.send(metrics("a", counter("calls", Measured(1, -700))))
    assert grown(file) == []


@pytest.mark.parametrize(
    ("watches", "expected"),
    [
        pytest.param([], 0, id="nobody"),
        pytest.param([(0, 50, 100)], 1, id="since-it-began"),
        pytest.param([(-10, 50, 100)], 0.5, id="heard-of-within"),
        pytest.param([(-10, -5, 100)], 1, id="heard-of-before"),
        pytest.param([(0, 0, 40), (20, 20, 60), (90, 90, 200)], 0.7, id="several"),
        pytest.param([(200, 200, 300), (-30, -20, -10)], 0, id="elsewhere"),
    ],
)
def test_coverage_is_the_share_that_somebody_watched(watches: list[tuple[int, int, int]], expected: float) -> None:
    assert coverage([Watch(*each) for each in watches], 0, 100) == expected


def test_what_was_counted_unheard_is_spread_over_its_time() -> None:
    moments = (0, 50, 100, 200)
    growth = Growth(None, [0.0, 0.0, 6.0], [Lump(0, 100, 10.0)])  # type: ignore[arg-type]
    assert [Sum(moments, [growth]).between(0, end) for end in moments] == [0, 5, 10, 16]
    assert Sum(moments, [growth]).between(50, 200) == 6


class Run(NamedTuple):
    """A process: when it began, and its points."""

    start: int
    points: list[tuple[int, int]]


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    """Draw processes that came one after the other in one series; odd times, so that none is that of a moment."""
    times = draw(st.lists(st.integers(-400, -1), min_size=2, max_size=14, unique=True).map(sorted))
    cuts = draw(st.sets(st.integers(1, len(times) - 1), max_size=3))
    found = []
    for low, high in pairwise([0, *sorted(cuts), len(times)]):
        part = times[low:high]
        before = times[low - 1] if low else -500
        start = draw(st.integers(before, part[0] - 1)) if part[0] - 1 > before else before
        total, points = 0, []
        for time in part:
            total += draw(st.integers(0, 9))
            points.append((2 * time + 1, total))
        found.append(Run(2 * start, points))
    return found


def expected(run: Run, begin: int) -> int:
    """Return what a process counted after a moment, as far as anybody can know."""
    stood = [value for time, value in run.points if time <= begin]
    if stood:
        return run.points[-1][1] - stood[-1]
    return run.points[-1][1] - (0 if run.start >= begin else run.points[0][1])


def sent(replica: int, series: Sequence[Run]) -> Metric:
    labels = {"replica": str(replica)}
    points = [Measured(value, time, run.start, labels) for run in series for time, value in run.points]
    return counter("calls", *points)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(runs(), min_size=1, max_size=3), st.sets(st.integers(-450, -1), min_size=1, max_size=6))
def test_any_processes_counts_are_those_of_counting_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, replicas: list[list[Run]], halves: set[int]
) -> None:
    moments = [-1001, *sorted(2 * each for each in halves), 0]
    with console_file(tmp_path_factory.mktemp("growth")) as file:
        file.send(*(metrics("a", sent(number, series)) for number, series in enumerate(replicas)))
        found = grown(file, *moments)
    total = Sum([AT + each * SECOND for each in moments], found)
    for moment in moments[:-1]:
        counted = total.between(AT + moment * SECOND, AT)
        assert counted == sum(expected(run, moment) for series in replicas for run in series)
    until = [total.between(AT + moments[0] * SECOND, AT + each * SECOND) for each in moments]
    assert until == sorted(until)
