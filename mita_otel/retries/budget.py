"""How many retries a dependency is given: a share of its calls, and a few each second on top.

A dependency that fails gets more calls the more is retried, when it can bear least. Retries are paid for with tokens:
calls earn them, time earns a few, and a purse that is empty buys none. Within any time, retries are at most

    most + ratio * calls + per_second * seconds

Source: Finagle's RetryBudget (20 % and a floor); Google SRE book, "Handling Overload" (10 % of a client's calls).
"""

from dataclasses import dataclass
from typing import NamedTuple

from mita_otel.retries.checks import number


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTerms:
    """The terms of a budget.

    Attributes:
        ratio: retries that a call earns, 0 to 1.
        per_second: retries that a second earns, 0 to 1,000: without them what is called rarely is never retried.
        most: retries that can be saved up, 1 to 10,000.
        initial: retries that it begins with, 0 to `most`.

    Raises:
        ValueError: a value is not allowed; the message names the field.
    """

    ratio: float = 0.2
    per_second: float = 1.0
    most: float = 100.0
    initial: float = 10.0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        number("ratio", self.ratio, least=0, most=1)
        number("per_second", self.per_second, least=0, most=1_000)
        number("most", self.most, least=1, most=10_000)
        number("initial", self.initial, least=0, most=self.most)


class Balance(NamedTuple):
    """What is in the purse.

    Attributes:
        tokens: retries that can be bought.
        calls: those that have been paid in, of all so far.
        at: when it was last looked at, in seconds of a clock that only grows.
    """

    tokens: float
    calls: int
    at: float


def opened(terms: BudgetTerms, now: float) -> Balance:
    """Return the balance before the first call."""
    return Balance(terms.initial, 0, now)


def settled(terms: BudgetTerms, balance: Balance, calls: int, now: float) -> Balance:
    """Return a balance with all calls and seconds paid in.

    Calls need not be paid in one by one: earnings only add up until a retry asks, so that the cap is the same then.

    Args:
        terms: of the budget.
        balance: as it was.
        calls: how many there have been in all.
        now: by the same clock; a clock that goes back earns nothing.
    """
    earned = terms.ratio * (calls - balance.calls) + terms.per_second * max(0.0, now - balance.at)
    return Balance(min(terms.most, balance.tokens + earned), calls, max(balance.at, now))


def asked(terms: BudgetTerms, balance: Balance, calls: int, now: float) -> tuple[Balance, bool]:
    """Ask for a retry; return the balance afterwards, and whether it may be made."""
    balance = settled(terms, balance, calls, now)
    if balance.tokens < 1:
        return balance, False
    return balance._replace(tokens=balance.tokens - 1), True
