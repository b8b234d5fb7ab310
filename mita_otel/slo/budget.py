"""Budgets: how much of what may go wrong has gone wrong; signed, and nothing where there is nothing to tell.

Source: https://sre.google/workbook/implementing-slos/ and .../alerting-on-slos/
"""

from dataclasses import dataclass
from typing import Final, Self

MEASURABLE_FROM: Final = 10
"""Bad events that a period's budget must allow: with fewer, a single one moves it by more than a tenth."""


@dataclass(frozen=True, slots=True)
class Count:
    """Events of some time; fractions come of a source that extrapolates.

    Attributes:
        good: those that were as promised.
        bad: those that were not.
    """

    good: float = 0
    bad: float = 0

    @property
    def total(self) -> float:
        """All of them."""
        return self.good + self.bad

    @property
    def error_ratio(self) -> float | None:
        """The share of bad ones, 0 to 1; None where there are none at all."""
        return self.bad / self.total if self.total > 0 else None

    @property
    def sli(self) -> float | None:
        """The share of good ones, 0 to 1; None where there are none at all."""
        return self.good / self.total if self.total > 0 else None

    @property
    def is_valid(self) -> bool:
        """Whether it can be: counters that went backwards, or more good ones than all, leave a negative share."""
        return 0 <= self.good < float("inf") and 0 <= self.bad < float("inf")

    def __sub__(self, earlier: Self) -> Self:
        """Return what came since then."""
        return type(self)(self.good - earlier.good, self.bad - earlier.bad)

    def __add__(self, other: Self) -> Self:
        """Return both together."""
        return type(self)(self.good + other.good, self.bad + other.bad)


@dataclass(frozen=True, slots=True)
class Budget:
    """What of a period's budget is spent.

    Attributes:
        objective: the share that has to be good, above 0 and below 1.
        count: events of the period so far.
        period: its seconds.
    """

    objective: float
    count: Count
    period: float

    @property
    def allowed_ratio(self) -> float:
        """The share of all events that may be bad."""
        # 1 - 0.999 is 0.0010000000000000009, of which a dashboard would show every digit.
        return round(1 - self.objective, 12)

    @property
    def allowed_events(self) -> float:
        """The bad events that so many events may hold."""
        return self.allowed_ratio * self.count.total

    @property
    def consumed_ratio(self) -> float | None:
        """The share of the budget that is spent, 0 and above: 1.75 is three quarters more than there was."""
        return burn_rate(self.count, self.objective)

    @property
    def remaining_ratio(self) -> float | None:
        """The share of the budget that is left, up to 1; below 0 where more than all is spent."""
        consumed = self.consumed_ratio
        return None if consumed is None else 1 - consumed

    @property
    def remaining_events(self) -> float | None:
        """The bad events that may still come before it is spent; negative for those too many."""
        return None if self.count.total <= 0 else self.allowed_events - self.count.bad

    @property
    def remaining_minutes(self) -> float | None:
        """The minutes of a total outage that are left of the period's, at its mean traffic."""
        remaining = self.remaining_ratio
        return None if remaining is None else remaining * self.allowed_ratio * self.period / 60

    @property
    def is_measurable(self) -> bool:
        """Whether the traffic is enough to tell the objective from one with a nine less."""
        return self.allowed_events >= MEASURABLE_FROM


def burn_rate(count: Count, objective: float) -> float | None:
    """Return how many times faster than allowed a budget is spent, 0 and above; None where there are no events.

    Each window has its own. At 1 the budget of a whole period lasts just as long as that.
    """
    ratio = count.error_ratio
    return None if ratio is None else ratio / round(1 - objective, 12)


def burn_at_most(objective: float) -> float:
    """Return the burn rate of a total outage: nothing burns faster."""
    return 1 / round(1 - objective, 12)


def pace(burn: float | None, period: float) -> float | None:
    """Return the seconds that a full budget lasts at a burn rate; None where it lasts for ever, or nobody knows."""
    return period / burn if burn else None


def countdown(remaining: float | None, burn: float | None, period: float) -> float | None:
    """Return the seconds until what is left of a budget is spent at a burn rate.

    Returns:
        0 where nothing is left, None where it lasts for ever, or nobody knows.
    """
    if remaining is None:
        return None
    if remaining <= 0:
        return 0.0
    lasting = pace(burn, period)
    return None if lasting is None else remaining * lasting
