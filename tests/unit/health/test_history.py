"""What a hundred looks say together."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.health.history import LENGTH, History, response_times, trend_of
from mita_otel.health.levels import Level

H, D, C, U = Level


def history(*levels: Level) -> History:
    made = History()
    for at, level in enumerate(levels):
        made.add(level, 0.1, float(at))
    return made


def test_the_last_hundred_looks_are_remembered() -> None:
    made = history(*[U] * 50, *[H] * LENGTH)
    assert len(made.entries) == LENGTH
    assert made.alert_frequency == 0


@pytest.mark.parametrize(
    ("levels", "trend"),
    [
        ([], "stable"),
        ([U], "stable"),
        ([H] * 30, "stable"),
        ([U] * 30, "stable"),
        ([H] * 15 + [D] * 5, "degrading"),
        ([U] * 10 + [H] * 10, "improving"),
        ([H, D] * 15, "stable"),
        ([U] * 50 + [H] * 20, "stable"),
    ],
)
def test_a_trend_is_of_the_newest_looks(levels: list[Level], trend: str) -> None:
    assert history(*levels).trend == trend


def test_alerts_are_the_looks_that_were_not_healthy() -> None:
    assert history(H, D, U, H).alert_frequency == 0.5


def test_what_flaps_is_not_stable() -> None:
    assert history(H, U, H, U, H).stability == 0
    assert history(H, H, H, H, U).stability == 0.75
    assert history(U, U).stability == history(H).stability == history().stability == 1


@given(st.lists(st.integers(0, 3)))
def test_turned_around_a_trend_is_the_opposite(ranks: list[int]) -> None:
    opposite = {"improving": "degrading", "degrading": "improving", "stable": "stable"}
    newest = ranks[-20:]
    assert trend_of(newest[::-1]) == opposite[trend_of(newest)]


@pytest.mark.parametrize(
    ("last", "risk"), [(0.1, "none"), (2.0, "none"), (2.1, "warning"), (5.0, "warning"), (5.1, "critical")]
)
def test_an_answer_that_takes_long_is_a_risk(last: float, risk: str) -> None:
    times = response_times([0.1, last])
    assert times is not None
    assert times.timeout_risk == risk


@given(st.lists(st.floats(0, 10), min_size=1, max_size=100))
def test_percentiles_are_looks_that_happened(seconds: list[float]) -> None:
    times = response_times(seconds)
    assert times is not None
    ordered = sorted(seconds)
    for value, percent in ((times.p95, 95), (times.p99, 99)):
        assert value == ordered[math.ceil(len(ordered) * percent / 100) - 1] * 1000
    assert times.last == seconds[-1] * 1000


def test_without_a_look_there_are_no_times() -> None:
    assert response_times([]) is None
