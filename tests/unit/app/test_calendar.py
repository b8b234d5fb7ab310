"""A month, day by day."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import DueGoal, view
from app.domain.months import days_of, month_of

MAY = date(2026, 5, 1)
spending = st.dictionaries(
    st.sampled_from(days_of(MAY)), st.tuples(st.decimals("0.01", "99999", places=2), st.integers(1, 50))
)


@given(spending)
def test_every_day_is_there_once_and_the_sums_are_kept(spent: dict[date, tuple[Decimal, int]]) -> None:
    days = view(MAY, spent, [])
    assert [day.day for day in days] == days_of(MAY)
    assert sum(day.spent for day in days) == sum(amount for amount, _ in spent.values())
    assert sum(day.transactions for day in days) == sum(count for _, count in spent.values())


@given(st.lists(st.dates(date(2026, 4, 1), date(2026, 6, 30))))
def test_goals_stand_on_their_day_and_those_of_other_months_nowhere(due: list[date]) -> None:
    goals = [DueGoal(uuid4(), "bicycle", day) for day in due]
    days = view(MAY, {}, goals)
    assert all(goal.due_on == day.day for day in days for goal in day.goals)
    assert sum(len(day.goals) for day in days) == sum(month_of(day) == MAY for day in due)
