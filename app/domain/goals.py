"""How far a user is on the way to a goal."""

from datetime import date
from decimal import ROUND_UP, Decimal, localcontext

from app.domain.money import PRECISION, quantum
from app.domain.months import between

HUNDRED = Decimal(100)


def percent(saved: Decimal, target: Decimal) -> Decimal:
    """Return the saved share of a target above zero, in percent with one decimal place; more than 100 if more is saved.

    What is not reached is never shown as 100: it is rounded down.
    """
    with localcontext() as context:
        context.prec = PRECISION
        return (saved * HUNDRED / target).quantize(Decimal("0.1"), "ROUND_DOWN")


def remaining(saved: Decimal, target: Decimal) -> Decimal:
    """Return what is still to be saved, at least 0."""
    return max(target - saved, Decimal(0))


def monthly(saved: Decimal, target: Decimal, currency: str, today: date, due_on: date | None) -> Decimal | None:
    """Return what must be saved in each month, this one included, rounded up to whole coins.

    Returns None for a goal without a date, and all that is left for one whose month has come.
    """
    if due_on is None:
        return None
    months = max(between(today, due_on), 0) + 1
    with localcontext() as context:
        context.prec = PRECISION
        return (remaining(saved, target) / months).quantize(quantum(currency), ROUND_UP)
