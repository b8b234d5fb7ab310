"""How far a user is on the way to a goal."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.goals import monthly, percent, remaining
from app.domain.money import CURRENCIES, MAXIMUM, quantum
from app.domain.months import between

amounts = st.decimals(min_value="0.0001", max_value=MAXIMUM, places=4)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(amounts, amounts)
def test_a_hundred_percent_means_reached(saved: Decimal, target: Decimal) -> None:
    assert (percent(saved, target) >= 100) == (saved >= target)


@given(amounts, amounts)
def test_what_remains_is_never_below_zero(saved: Decimal, target: Decimal) -> None:
    assert remaining(saved, target) == max(target - saved, 0)


@given(amounts, amounts, st.sampled_from(sorted(CURRENCIES)), days, days)
def test_the_monthly_amounts_are_whole_coins_that_reach_the_goal_in_time(
    saved: Decimal, target: Decimal, currency: str, today: date, due_on: date
) -> None:
    each = monthly(saved, target, currency, today, due_on)
    assert each is not None
    assert each % quantum(currency) == 0
    months = max(between(today, due_on), 0) + 1
    left = remaining(saved, target)
    assert left <= each * months < left + quantum(currency) * months


def test_a_goal_without_a_day_has_all_the_time() -> None:
    assert monthly(Decimal(0), Decimal(10), "USD", date(2026, 1, 1), None) is None


@pytest.mark.parametrize(
    ("today", "due_on", "expected"),
    [
        ("2026-01-31", "2026-03-01", "33.34"),
        ("2026-01-01", "2026-01-31", "100.00"),
        ("2026-05-01", "2026-01-01", "100"),
    ],
)
def test_the_month_of_today_and_the_last_one_both_count(today: str, due_on: str, expected: str) -> None:
    each = monthly(Decimal(0), Decimal(100), "USD", date.fromisoformat(today), date.fromisoformat(due_on))
    assert each == Decimal(expected)
