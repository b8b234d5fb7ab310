import math
from array import array
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.metrics.catalogue.bounds import DURATIONS
from mita_otel.slo.counts import Counts, quantile
from mita_otel.slo.history import History, Ring

BEGAN = 1_790_000_000 // 3_600 * 3_600


def _cells(*values: int) -> "array[int]":
    return array("q", values)


def test_a_window_is_what_came_in_it() -> None:
    history = History()
    for minute in range(11):
        history.tick(BEGAN + 60 * minute, _cells(minute * 10, minute))
    past = history.since(BEGAN + 600, BEGAN + 300, _cells(100, 10))
    assert (list(past.cells), past.coverage, past.continuity) == ([50, 5], 1, 1)


def test_what_came_since_the_last_look_counts_too() -> None:
    history = History()
    history.tick(BEGAN, _cells(0))
    assert list(history.since(BEGAN + 1, BEGAN - 300, _cells(7)).cells) == [7]


def test_what_was_before_the_process_is_not_covered_but_no_gap() -> None:
    history = History()
    for minute in range(2):
        history.tick(BEGAN + 60 * minute, _cells(minute))
    past = history.since(BEGAN + 60, BEGAN + 60 - 300, _cells(1))
    assert past.coverage == pytest.approx(0.2)
    assert past.continuity == 1


def test_minutes_that_nobody_looked_at_are_gaps() -> None:
    history = History()
    for minute in (0, 1, 2, 8, 9, 10):
        history.tick(BEGAN + 60 * minute, _cells(minute))
    past = history.since(BEGAN + 600, BEGAN, _cells(10))
    assert (past.coverage, past.continuity) == (0.5, 0.5)
    assert list(past.cells) == [10]


def test_a_clock_that_goes_back_loses_nothing() -> None:
    history = History()
    history.tick(BEGAN + 600, _cells(5))
    history.tick(BEGAN, _cells(9))
    assert list(history.since(BEGAN, BEGAN - 300, _cells(9)).cells) == [9]


def test_no_more_marks_are_kept_than_there_is_room_for() -> None:
    ring = Ring(60, 5)
    for minute in (*range(20), 40, 41, 100):
        ring.tick(BEGAN + 60 * minute, _cells(minute))
        assert len(ring._marks) <= 5
    assert list(ring.since(BEGAN, _cells(100)).cells) == [100 - 41]


def test_a_long_window_is_known_to_the_hour() -> None:
    history = History()
    for hour in range(31 * 24):
        history.tick(BEGAN + 3_600 * hour, _cells(hour))
    now = BEGAN + 3_600 * (31 * 24 - 1)
    assert list(history.since(now, now - 30 * 86_400, _cells(743)).cells) == [720]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), min_size=1, max_size=60),
    st.sampled_from([60, 300, 1800, 3600]),
)
def test_a_window_is_what_counting_the_events_in_it_says(steps: list[tuple[int, int]], window: int) -> None:
    ring, now, total = Ring(60, 200), BEGAN, 0
    happened: list[tuple[int, int]] = []
    ring.tick(now, _cells(0))
    for wait, events in steps:
        now += wait
        total += events
        happened.append((now, events))
        ring.tick(now, _cells(total))
    boundary = (now - window) // 60 * 60
    seen = ring.since(now - window, _cells(total)).cells[0]
    # An event is told by the next look: it belongs to the slice before that at the latest.
    expected = sum(events for at, events in happened if at >= boundary + 60)
    latest = sum(events for at, events in happened if at >= boundary)
    assert expected <= seen <= latest


@given(st.lists(st.floats(0.0001, 9.9), min_size=1, max_size=100), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bucket_that_holds_it(durations: list[float], share: float) -> None:
    counts = Counts(1)
    for duration in durations:
        counts.add_timed((), ((0.2, 0),), duration)
    told = quantile(counts.seen(), share)
    exact = sorted(durations)[math.ceil(share * len(durations)) - 1]
    bucket = bisect_left(DURATIONS, exact)
    assert told is not None
    assert (0.0, *DURATIONS)[bucket] <= told <= DURATIONS[bucket] + 1e-9


def test_no_requests_have_no_quantile() -> None:
    assert quantile(Counts(3).seen(), 0.95) is None
