"""How much of a month's budget is spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """One category of a month.

    Attributes:
        limit: What may be spent, at least 0.
        spent: What was spent, at least 0.
    """

    category: str
    limit: Decimal
    spent: Decimal

    @property
    def remaining(self) -> Decimal:
        """What is left; below zero when overspent."""
        return self.limit - self.spent

    @property
    def used_percent(self) -> Decimal | None:
        """Share of the limit that is spent, in percent with one decimal place; None without a limit."""
        return None if self.limit == 0 else (self.spent * 100 / self.limit).quantize(Decimal("0.1"))


def dashboard(limits: Mapping[str, Decimal], spent: Mapping[str, Decimal]) -> list[Line]:
    """Return a line for each category that has a limit or spending, in alphabetical order."""
    zero = Decimal(0)
    return [
        Line(category, limits.get(category, zero), spent.get(category, zero)) for category in sorted({*limits, *spent})
    ]
