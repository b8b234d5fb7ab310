"""What counters counted when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.reading.rates import Buckets, Point, cumulative, delta, latest, rates

S = 1_000_000
"""A second, in microseconds."""


def amounts(points: list[Point]) -> list[tuple[int, int, float]]:
    return [(each.begin // S, each.end // S, each.amount) for each in cumulative(points)]


def test_buckets_begin_at_multiples_of_the_step_and_cover_the_stretch() -> None:
    assert Buckets.covering(13, 27, 10) == Buckets(10, 10, 2)
    assert list(Buckets.covering(13, 27, 10).ends) == [20, 30]
    assert Buckets.covering(10, 10, 10).count == 1


def test_a_bucket_holds_its_end_and_not_its_begin() -> None:
    buckets = Buckets(100, 10, 3)
    assert [buckets.index_of(time) for time in (100, 101, 110, 111, 130, 131)] == [-1, 0, 0, 1, 2, 3]


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 20), st.integers(1, 10))
def test_overlaps_add_up_to_the_part_of_a_stretch_that_lies_in_the_buckets(
    begin: int, length: int, step: int, count: int
) -> None:
    buckets = Buckets(40, step, count)
    parts = list(buckets.overlaps(begin, begin + length))
    inside = max(min(begin + length, buckets.last) - max(begin, buckets.first), 0)
    assert sum(part for _, part in parts) == inside
    assert all(0 <= index < count and 0 < part <= step for index, part in parts)


def test_a_counter_counts_between_its_points() -> None:
    points = [Point(100 * S, 1, 5), Point(110 * S, 1, 8), Point(120 * S, 1, 8)]
    assert amounts(points)[1:] == [(100, 110, 3), (110, 120, 0)]


def test_a_counter_that_has_just_begun_counts_from_its_start() -> None:
    assert amounts([Point(100 * S, 90 * S, 5)]) == [(90, 100, 5)]


def test_what_was_counted_long_before_the_first_point_is_left_out() -> None:
    assert amounts([Point(1000 * S, 90 * S, 5)]) == []


def test_a_restart_counts_from_its_own_start() -> None:
    points = [Point(100 * S, 1, 50), Point(110 * S, 1, 52), Point(120 * S, 115 * S, 3)]
    assert amounts(points)[1:] == [(100, 110, 2), (115, 120, 3)]


def test_a_restart_is_seen_even_if_the_value_grew() -> None:
    assert amounts([Point(100 * S, 1, 5), Point(110 * S, 105 * S, 9)]) == [(0, 100, 5), (105, 110, 9)]


def test_a_value_that_falls_is_a_restart_where_starts_are_unknown() -> None:
    assert amounts([Point(100 * S, 0, 50), Point(110 * S, 0, 3)]) == [(100, 110, 3)]


def test_two_senders_of_one_series_are_not_subtracted_from_one_another() -> None:
    points = [Point(100 * S, 1, 1000), Point(101 * S, 2, 5), Point(110 * S, 1, 1004), Point(111 * S, 2, 6)]
    assert sorted(amounts(points))[-2:] == [(100, 110, 4), (101, 111, 1)]


def test_nothing_is_known_of_a_gap() -> None:
    assert amounts([Point(1000 * S, 1, 5), Point(1400 * S, 1, 9)]) == []


def test_points_that_always_come_slowly_are_no_gaps() -> None:
    points = [Point(hour * 3600 * S, 1, hour) for hour in range(101, 105)]
    assert len(amounts(points)) == 3


def test_a_point_without_a_value_is_a_gap() -> None:
    assert amounts([Point(1000 * S, 1, 5), Point(1010 * S, 1, None), Point(1020 * S, 1, 9)]) == []


def test_differences_count_between_their_start_and_their_time() -> None:
    points = [Point(100 * S, 90 * S, 5), Point(110 * S, 100 * S, 7)]
    assert [(each.begin // S, each.end // S, each.amount) for each in delta(points)] == [(90, 100, 5), (100, 110, 7)]


def test_differences_without_a_start_count_from_the_point_before() -> None:
    points = [Point(100 * S, 0, 5), Point(110 * S, 0, 7)]
    assert [(each.begin // S, each.amount) for each in delta(points)] == [(100, 7)]


def test_a_rate_is_by_the_second_and_even_between_two_points() -> None:
    points = [Point(100 * S, 1, 0), Point(120 * S, 1, 40)]
    assert rates(cumulative(points), Buckets(100 * S, 5 * S, 5)) == [2, 2, 2, 2, None]


def test_a_rate_is_the_mean_over_the_time_that_is_known() -> None:
    points = [Point(100 * S, 1, 0), Point(104 * S, 1, 8), Point(106 * S, 1, 8)]
    assert rates(cumulative(points), Buckets(100 * S, 10 * S, 1)) == [pytest.approx(8 / 6)]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 50)), min_size=1, max_size=20), st.integers(1, 40))
def test_nothing_that_was_counted_is_lost_or_added_by_the_buckets(steps: list[tuple[int, int]], step: int) -> None:
    points = [Point(1000 * S, 1, 7.0)]
    for seconds, amount in steps:
        points.append(Point(points[-1].time + seconds * S, 1, (points[-1].value or 0) + amount))
    buckets = Buckets.covering(1000 * S, points[-1].time, step * S)
    shown = rates(cumulative(points[0:]), buckets)
    covered = [0] * buckets.count
    for before, after in pairwise(points):
        for index, part in buckets.overlaps(before.time, after.time):
            covered[index] += part
    total = sum((rate or 0) * part / S for rate, part in zip(shown, covered, strict=True))
    assert total == pytest.approx(sum(amount for _, amount in steps), abs=1e-6)


def test_a_value_stands_until_the_next_and_not_for_long() -> None:
    points = [Point(100 * S, 0, 1), Point(110 * S, 0, 2), Point(120 * S, 0, 3)]
    buckets = Buckets(90 * S, 5 * S, 12)
    assert latest(points, buckets) == [None, 1, 1, 2, 2, 3, 3, 3, 3, None, None, None]


def test_a_value_that_the_sender_takes_back_stands_no_longer() -> None:
    points = [Point(100 * S, 0, 1), Point(110 * S, 0, None)]
    assert latest(points, Buckets(95 * S, 5 * S, 4)) == [1, 1, None, None]


def test_a_series_without_points_has_no_values() -> None:
    assert latest([], Buckets(0, S, 2)) == [None, None]
    assert rates(cumulative([]), Buckets(0, S, 2)) == [None, None]
