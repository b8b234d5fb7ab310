"""Waits between attempts grow, are spread, and have a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.export import Pace

chances = st.floats(0, 1)


@given(st.integers(1, 10**9), chances)
def test_a_wait_is_within_its_limit(failures: int, chance: float) -> None:
    assert 0 <= Pace().wait(failures, None, chance) <= 5.0


def test_the_upper_bound_doubles_from_half_a_second_to_five() -> None:
    assert [Pace().wait(failures, None, 1.0) for failures in range(1, 7)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.integers(1, 100), st.floats(0, 1e9), chances)
def test_what_the_receiver_asked_for_is_waited_in_full_up_to_half_a_minute(
    failures: int, after: float, chance: float
) -> None:
    wait = Pace().wait(failures, after, chance)
    assert min(after, 30.0) <= wait <= min(after + 0.5, 30.0)


def test_the_default_capacity_holds_an_outage_of_half_a_minute_at_200_requests_a_second() -> None:
    pace = Pace()
    items_a_second = 200 * 6
    assert pace.capacity >= items_a_second * (30 + pace.backoff_limit + pace.attempt_timeout)


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"schedule_delay": -1}, {"capacity": 10, "batch_size": 11}])
def test_impossible_numbers_are_errors(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed"):
        Pace(**wrong)
