"""Made-up households are the same each time, and spend as people do."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.categories import Category
from app.domain.households import budgets, expenses, goals, household
from app.domain.money import whole_coins
from app.domain.months import month_of

MAY = date(2026, 5, 1)
numbers = st.integers(1, 10_000)


@given(numbers, numbers)
def test_the_same_numbers_give_the_same_household(seed: int, number: int) -> None:
    first, again = household(seed, number), household(seed, number)
    assert first == again
    assert list(expenses(first, MAY)) == list(expenses(again, MAY))
    assert list(goals(first)) == list(goals(again))
    assert budgets(first) == budgets(again)


@given(numbers)
def test_expenses_are_whole_coins_within_their_month(number: int) -> None:
    who = household(1, number)
    found = list(expenses(who, MAY))
    assert 20 <= len(found) <= 45
    assert {month_of(expense.day) for expense in found} == {MAY}
    assert {expense.category for expense in found} == set(Category)
    for expense in found:
        assert whole_coins(expense.amount, expense.currency) > 0
        assert whole_coins(expense.home_amount, who.currency) > 0


@given(numbers)
def test_goals_and_budgets_are_whole_coins_above_zero(number: int) -> None:
    who = household(1, number)
    for _, _, target, saved in goals(who):
        assert whole_coins(target, who.currency) > 0
        assert 0 <= whole_coins(saved, who.currency) <= target * Decimal("1.06")
    assert all(whole_coins(limit, who.currency) > 0 for limit in budgets(who).values())


def test_no_two_things_share_an_id() -> None:
    ids = [
        made.id
        for number in range(1, 20)
        for month in (MAY, date(2026, 6, 1))
        for made in expenses(household(1, number), month)
    ]
    assert len(ids) == len(set(ids))
