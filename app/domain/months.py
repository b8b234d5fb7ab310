"""Months as people name them: 2026-11."""

import calendar
from collections.abc import Iterable
from datetime import date


def first_day(month: str) -> date:
    """Return the first day of a month given as 2026-11.

    Raises:
        ValueError: it is no month.
    """
    return date.fromisoformat(f"{month}-01")


def month_of(day: date) -> date:
    """Return the first day of the month that a day is in."""
    return day.replace(day=1)


def following(month: date) -> date:
    """Return the first day of the next month."""
    return added(month, 1)


def added(month: date, count: int) -> date:
    """Return the first day of the month that is `count` months later, or earlier below zero."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def between(first: date, last: date) -> int:
    """Return how many months the last day's month is after the first day's."""
    return (last.year - first.year) * 12 + last.month - first.month


def days_of(month: date) -> list[date]:
    """Return every day of a month."""
    return [month.replace(day=day + 1) for day in range(calendar.monthrange(month.year, month.month)[1])]


def named(month: date) -> str:
    """Return a month as 2026-11."""
    return f"{month:%Y-%m}"


def months_of(days: Iterable[date]) -> list[date]:
    """Return the months that days are in, each once, in their order in time."""
    return sorted({month_of(day) for day in days})
