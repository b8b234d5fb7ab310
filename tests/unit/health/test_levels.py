"""How well a service is, by how well its parts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.health.levels import RANK, SHARE, Level, overall, worst

H, D, C, U = Level


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], H),
        ([H, H], H),
        ([H, D], D),
        ([D, D, D], D),
        ([C, H], D),
        ([C, C], C),
        ([C, C, D], C),
        ([U, H], U),
        ([U, C, C], U),
    ],
)
def test_the_whole_is_what_the_report_says_of_its_parts(parts: list[Level], whole: Level) -> None:
    assert overall(parts) is whole


@given(st.lists(st.sampled_from(Level)))
def test_the_whole_is_healthy_only_if_every_part_is(parts: list[Level]) -> None:
    assert (overall(parts) is H) == all(part is H for part in parts)
    assert (overall(parts) is U) == (U in parts)


@given(st.lists(st.sampled_from(Level), min_size=1))
def test_the_worst_is_the_one_of_the_highest_rank(parts: list[Level]) -> None:
    assert RANK[worst(parts)] == max(RANK[part] for part in parts)


def test_numbers_fall_from_one_to_zero() -> None:
    shares = [SHARE[level] for level in Level]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (1, 0)
