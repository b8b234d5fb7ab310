"""Quantiles of histograms: by the rules of Prometheus, and near to those of the values themselves."""

from bisect import bisect_left
from math import floor, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.reading.quantiles import Exponential, duration_quantile, explicit_quantile
from mita_otel.console.store.durations import bucket_of

SHARES = st.floats(0, 1)


@pytest.mark.parametrize(
    ("share", "bounds", "counts", "expected"),
    [
        # From Prometheus' own tests of histogram_quantile: testhistogram and testhistogram2.
        (0.0, [0.1, 0.2, 1.0], [5, 2, 1, 4], 0.0),
        (0.25, [0.1, 0.2, 1.0], [5, 2, 1, 4], 0.06),
        (0.5, [0.1, 0.2, 1.0], [5, 2, 1, 4], 0.15),
        (0.75, [0.1, 0.2, 1.0], [5, 2, 1, 4], 1.0),
        (1.0, [0.1, 0.2, 1.0], [5, 2, 1, 4], 1.0),
        (0.5, [0, 2, 4, 6], [1, 2, 3, 0, 0], 2.0),
        (0.5, [-1, 0, 1], [0, 4, 0, 0], -0.5),
        (0.9, [-5, 5], [10, 0, 0], -5),
    ],
)
def test_explicit_quantiles_are_those_of_prometheus(
    share: float, bounds: list[float], counts: list[float], expected: float
) -> None:
    assert explicit_quantile(share, bounds, counts) == pytest.approx(expected)


@pytest.mark.parametrize(("bounds", "counts"), [([], []), ([], [4]), ([1.0], [0, 0]), ([1.0], [1]), ([1.0], [-3, -1])])
def test_an_explicit_histogram_that_says_nothing_has_no_quantile(bounds: list[float], counts: list[float]) -> None:
    assert explicit_quantile(0.5, bounds, counts) is None


def test_counts_below_0_count_as_0() -> None:
    assert explicit_quantile(0.5, [1, 2], [-5, 4, 0]) == 1.5


@given(SHARES, st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_an_explicit_quantile_lies_in_the_bucket_of_the_value(share: float, values: list[float]) -> None:
    bounds = [1, 5, 10, 25, 50, 75, 100]
    counts = [0.0] * 8
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    found = explicit_quantile(share, bounds, counts)
    wanted = sorted(values)[max(-(-int(share * len(values) * 2**20) // 2**20) - 1, 0)]
    index = bisect_left(bounds, wanted)
    assert found is not None
    assert (bounds[index - 1] if index else 0) - 1e-9 <= found <= bounds[index] + 1e-9


@given(st.lists(SHARES, min_size=2, max_size=5), st.dictionaries(st.integers(0, 200), st.integers(0, 9), max_size=20))
def test_quantiles_grow_with_the_share(shares: list[float], counts: dict[int, int]) -> None:
    found = [duration_quantile(share, counts) for share in sorted(shares)]
    assert found == [None] * len(found) if not any(counts.values()) else found == sorted(found)  # type: ignore[type-var]


@given(SHARES, st.lists(st.integers(1, 10**9), min_size=1, max_size=40))
def test_a_quantile_of_durations_is_off_by_a_bucket_at_most(share: float, durations: list[int]) -> None:
    counts: dict[int, int] = {}
    for duration in durations:
        counts[bucket_of(duration)] = counts.get(bucket_of(duration), 0) + 1
    found = duration_quantile(share, counts)
    rank = max(-(-int(share * len(durations) * 2**20) // 2**20) - 1, 0)
    wanted = sorted(durations)[rank]
    assert found is not None
    assert wanted == 1 or wanted * 2**-0.25 - 1e-6 <= found <= wanted * 2**0.25 + 1e-6


def exponential(values: list[float], scale: int) -> Exponential:
    made = Exponential(scale)
    for value in values:
        if value == 0:
            made.zeros += 1
            continue
        side = made.positive if value > 0 else made.negative
        index = floor(log2(abs(value)) * 2**scale)
        side[index] = side.get(index, 0) + 1
    return made


VALUES = st.floats(-1000, 1000).filter(lambda value: value == 0 or abs(value) > 1e-3)


@given(SHARES, st.lists(VALUES, min_size=1, max_size=30))
def test_an_exponential_quantile_is_near_the_value(share: float, values: list[float]) -> None:
    found = exponential(values, 6).quantile(share)
    rank = max(-(-int(share * len(values) * 2**20) // 2**20) - 1, 0)
    wanted = sorted(values)[rank]
    assert found == pytest.approx(wanted, rel=0.03)


@given(st.lists(VALUES, max_size=20), st.lists(VALUES, max_size=20), st.integers(-2, 5), st.integers(-2, 5))
def test_histograms_of_two_scales_join_in_the_coarser_one(
    ours: list[float], theirs: list[float], one: int, other: int
) -> None:
    joined = exponential(ours, one)
    joined.add(exponential(theirs, other))
    expected = exponential(ours + theirs, min(one, other))
    assert (joined.scale, joined.zeros) == (expected.scale, expected.zeros)
    assert joined.positive == expected.positive
    assert joined.negative == expected.negative


def test_an_empty_exponential_histogram_has_no_quantile() -> None:
    assert Exponential(3).quantile(0.5) is None


def test_zeros_are_between_the_negative_and_the_positive() -> None:
    made = Exponential(0, zeros=8, zero_threshold=0.5, positive={0: 1.0}, negative={0: 1.0})
    assert made.quantile(0.5) == pytest.approx(0)
    assert Exponential(0, zeros=1, zero_threshold=0.5).quantile(0.5) == 0


@pytest.mark.parametrize("scale", [-11, -4, 0, 20, 2**31 - 1])
@pytest.mark.parametrize("index", [-(2**31), -1, 0, 1, 2**31 - 1])
def test_absurd_scales_and_indexes_break_nothing(scale: int, index: int) -> None:
    assert Exponential(scale, positive={index: 1.0}).quantile(0.5) is not None
