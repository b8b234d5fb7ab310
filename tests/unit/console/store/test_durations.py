"""Durations are counted by buckets."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.store.durations import bounds_of, bucket_of, pack, unpack, unpack_sums


@given(st.integers(min_value=1, max_value=2**52))
def test_a_duration_is_within_the_bounds_of_its_bucket(duration: int) -> None:
    low, high = bounds_of(bucket_of(duration))
    assert low * (1 - 1e-9) <= duration <= high * (1 + 1e-9)


@given(st.integers(min_value=0, max_value=2**63), st.integers(min_value=0, max_value=2**63))
def test_longer_durations_are_in_no_lower_bucket(one: int, other: int) -> None:
    assert (bucket_of(min(one, other))) <= bucket_of(max(one, other))


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 2**32 - 1)))
def test_counts_survive_packing(counts: dict[int, int]) -> None:
    assert unpack(pack(counts)) == counts


@given(st.lists(st.dictionaries(st.integers(0, bucket_of(2**63)), st.integers(1, 1000), max_size=5), max_size=5))
def test_packed_counts_one_after_the_other_add_up(packed: list[dict[int, int]]) -> None:
    expected: Counter[int] = Counter()
    for counts in packed:
        expected.update(counts)
    assert unpack_sums(b"".join(map(pack, packed))) == expected


def test_a_count_beyond_32_bits_stays_at_the_highest() -> None:
    assert unpack(pack({3: 2**40})) == {3: 2**32 - 1}


@pytest.mark.parametrize("duration", [0, 1])
def test_no_duration_is_in_the_lowest_bucket(duration: int) -> None:
    assert bucket_of(duration) == 0
