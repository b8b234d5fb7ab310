"""How much of a feature its users get, and why less than all of it."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final


class Mode(StrEnum):
    """The rungs of the ladder, from all of it to nothing."""

    FULL = "full"
    CACHED = "cached"
    GENERIC = "generic"
    OFF = "off"


LADDER: Final = tuple(Mode)


class Cause(StrEnum):
    """Why a feature is not what it could be."""

    NONE = "none"
    FLAG = "flag"
    CIRCUIT_OPEN = "circuit_open"
    DEADLINE = "deadline"
    BUDGET = "budget"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides where on the ladder to begin.

    Attributes:
        flag: the best mode that the feature's flag allows.
        seconds_left: of the request's deadline; infinite if it has none.
        seconds_needed: that the whole feature takes as a rule.
        budget_remaining: share of the feature's error budget that is left, at most 1 and negative when overspent; None
            if it has none.
        budget_reserve: share below which the feature is given in a cheaper way.
    """

    flag: Mode = Mode.FULL
    seconds_left: float = inf
    seconds_needed: float = 0.0
    budget_remaining: float | None = None
    budget_reserve: float = 0.0


def first_rung(situation: Situation) -> tuple[Mode, Cause]:
    """Return the best mode that is worth trying, and what keeps it from being a better one.

    What the deadline would cut off is not tried, nor what the month's budget has no room for. A circuit breaker is not
    asked here: it refuses a call in a microsecond, and when it has waited enough somebody must be the probe. The flag
    has the last word downwards, never upwards.
    """
    if situation.flag is not Mode.FULL:
        return situation.flag, Cause.FLAG
    if situation.seconds_left < situation.seconds_needed:
        return Mode.CACHED, Cause.DEADLINE
    if situation.budget_remaining is not None and situation.budget_remaining < situation.budget_reserve:
        return Mode.CACHED, Cause.BUDGET
    return Mode.FULL, Cause.NONE
