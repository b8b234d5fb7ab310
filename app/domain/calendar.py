"""A month, day by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domain.months import days_of


@dataclass(frozen=True, slots=True)
class DueGoal:
    """A goal whose day has come."""

    id: UUID
    name: str
    due_on: date


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of a month.

    Attributes:
        spent: At least 0.
        transactions: How many that were.
        goals: Those that are due.
    """

    day: date
    spent: Decimal
    transactions: int
    goals: list[DueGoal] = field(default_factory=list)


def view(month: date, spent: Mapping[date, tuple[Decimal, int]], goals: Iterable[DueGoal]) -> list[CalendarDay]:
    """Return every day of a month, those without anything too.

    Args:
        month: its first day.
        spent: sum and number of transactions by day.
        goals: due on some day of the month.
    """
    nothing = (Decimal(0), 0)
    days = {day: CalendarDay(day, *spent.get(day, nothing)) for day in days_of(month)}
    for goal in goals:
        if goal.due_on in days:
            days[goal.due_on].goals.append(goal)
    return list(days.values())
