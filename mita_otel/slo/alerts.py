"""Alerts on burn rates: two windows each, derived from the share of the budget that may be gone before someone knows.

Source: https://sre.google/workbook/alerting-on-slos/, 6: "Multiwindow, Multi-Burn-Rate Alerts".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from mita_otel.slo.budget import Count, burn_at_most, burn_rate

Severity: TypeAlias = Literal["page", "ticket"]

ENOUGH: Final = 0.9
"""Share of a window that must have been observed before anything is concluded from it."""

MIN_BAD: Final = 5
"""Bad events below which no one is woken: in a quiet night a single one is a burn rate of hundreds."""

_BELOW_CEILING: Final = 0.9
"""Share of the burn rate of a total outage that a factor may have."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When to alert.

    Attributes:
        severity: whether someone is to be woken, or can look at it tomorrow.
        long: seconds; the window that shows that it matters.
        short: seconds; the window that shows that it still goes on.
        spent: share of the budget that is gone, at a constant burn, when the long window is full.
        factor: the burn rate in both windows that fires it.
    """

    severity: Severity
    long: int
    short: int
    spent: float
    factor: float


TABLE: Final[tuple[tuple[Severity, int, int, float], ...]] = (
    ("page", 3_600, 300, 0.02),
    ("page", 6 * 3_600, 1_800, 0.05),
    ("ticket", 86_400, 7_200, 0.10),
    ("ticket", 3 * 86_400, 6 * 3_600, 0.10),
)
"""Severity, long and short window for a period of 30 days, share of the budget."""


def rules(objective: float, period: float) -> tuple[Rule, ...]:
    """Return the rules for an objective: factors 14.4, 6, 3 and 1 for 30 days.

    The windows stay as they are, for they are people's: how soon one wants to know. The factor is `spent * period /
    long`, and so much of the budget is spent when it fires, whatever the period. A factor is never below 1, at which
    the budget lasts its period, nor so high that a total outage would not reach it (14.4 for objectives of 93 %): it
    is nine tenths of what that reaches then. Windows longer than half the period are left out.

    Args:
        objective: the share that has to be good.
        period: seconds.
    """
    most = max(burn_at_most(objective) * _BELOW_CEILING, 1.0)
    made = []
    for severity, long, short, spent in TABLE:
        if long <= period / 2:
            factor = round(min(max(spent * period / long, 1.0), most), 6)
            made.append(Rule(severity, long, short, factor * long / period, factor))
    return tuple(made)


class Alarm(StrEnum):
    """What an alert does."""

    QUIET = "quiet"
    FIRING = "firing"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen of a window.

    Attributes:
        count: events.
        coverage: share of its slices that were observed, 0 to 1.
    """

    count: Count
    coverage: float = 1.0


def judge(rule: Rule, objective: float, windows: Mapping[int, Window], *, min_bad: float = MIN_BAD) -> Alarm:
    """Return whether an alert fires.

    Where less of a window was observed than `ENOUGH`, or what was cannot be, it is frozen: it neither begins nor ends,
    for nobody knows. Windows without events are quiet: nobody was failed.

    Args:
        rule: when to alert.
        objective: the share that has to be good.
        windows: what was seen, by seconds.
        min_bad: bad events in the long window below which it does not fire.
    """
    long, short = windows[rule.long], windows[rule.short]
    if min(long.coverage, short.coverage) < ENOUGH or not (long.count.is_valid and short.count.is_valid):
        return Alarm.FROZEN
    if long.count.bad < min_bad:
        return Alarm.QUIET
    burns = (burn_rate(long.count, objective), burn_rate(short.count, objective))
    return Alarm.FIRING if all(burn is not None and burn >= rule.factor for burn in burns) else Alarm.QUIET


def is_firing(alarm: Alarm, before: bool) -> bool:  # noqa: FBT001 - what it was before
    """Return whether an alert fires on, given whether it fired before: a frozen one goes on as it was."""
    return before if alarm is Alarm.FROZEN else alarm is Alarm.FIRING
