"""Months as people name them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.months import added, between, days_of, first_day, following, month_of, months_of, named

days = st.dates(date(1970, 1, 1), date(2099, 12, 31))
counts = st.integers(-800, 800)


@given(days)
def test_a_month_is_named_and_found_again(day: date) -> None:
    assert first_day(named(day)) == month_of(day)


@given(days)
def test_a_month_ends_where_the_next_one_begins(day: date) -> None:
    assert following(day) == days_of(month_of(day))[-1] + timedelta(days=1)


@given(days, counts)
def test_months_added_are_months_between(day: date, count: int) -> None:
    assert between(day, added(day, count)) == count


@given(days)
def test_the_days_of_a_month_are_all_of_it_and_nothing_else(day: date) -> None:
    found = days_of(month_of(day))
    assert day in found
    assert {month_of(each) for each in found} == {month_of(day)}


def test_months_come_once_and_in_their_order() -> None:
    assert months_of([date(2026, 2, 3), date(2025, 12, 31), date(2026, 2, 1)]) == [date(2025, 12, 1), date(2026, 2, 1)]


@pytest.mark.parametrize("text", ["2026-13", "2026", "", "2026-1"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month"):
        first_day(text)
