"""From the text of a receipt to a draft of a transaction."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.categories import Category
from app.domain.money import CURRENCIES, MAXIMUM, round_to_currency, whole_coins

LONGEST_NAME = 100
"""Characters of a merchant's name that are kept."""

_TOTAL = re.compile(
    r"^\s{0,20}(?:grand )?total\b[:\s]{0,20}(?:([A-Z]{3})\s{1,5})?"
    r"([0-9]{1,13}(?:[.,][0-9]{1,3})?)(?:\s{1,5}([A-Z]{3}))?\s{0,20}$",
    re.IGNORECASE | re.MULTILINE,
)
_DAY = re.compile(r"\b([12][0-9]{3})-([01][0-9])-([0-3][0-9])\b|\b([0-3][0-9])\.([01][0-9])\.([12][0-9]{3})\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_WORDS = {
    Category.FOOD: ("bakery", "cafe", "coffee", "grocer", "market", "pizza", "restaurant", "bread", "milk"),
    Category.TRANSPORT: ("taxi", "fuel", "petrol", "rail", "train", "parking", "bus "),
    Category.HEALTH: ("pharmacy", "clinic", "dentist", "optician"),
    Category.ENTERTAINMENT: ("cinema", "theatre", "concert", "museum"),
    Category.EDUCATION: ("book", "course", "school"),
    Category.HOUSING: ("rent", "electricity", "furniture", "hardware"),
    Category.SHOPPING: ("fashion", "shoes", "electronics", "department store"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a receipt says, as far as it could be read.

    Attributes:
        amount: The total, above zero.
        currency: None if the receipt does not name one that we know.
        description: The merchant's name.
        occurred_on: None if there is no day on it.
    """

    amount: Decimal
    currency: str | None
    category: Category
    description: str
    occurred_on: date | None


def draft(text: str) -> Draft | None:
    """Return what a receipt's text says; None if there is no total on it."""
    totals = [match for match in _TOTAL.finditer(text) if _amount(match)]
    if not totals:
        return None
    # The last one is what was paid: subtotals come before it.
    total = totals[-1]
    amount = _amount(total)
    if amount is None:
        return None
    return Draft(amount, _currency(total), _category(text), _merchant(text), _day(text))


def as_printed(amount: Decimal, currency: str | None) -> Decimal:
    """Return an amount with its currency's decimal places; where that is not known two, or as many as it has."""
    if currency is not None:
        return round_to_currency(amount, currency)
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.normalize()


def _amount(total: re.Match[str]) -> Decimal | None:
    amount = Decimal(total.group(2).replace(",", "."))
    currency = _currency(total)
    try:
        whole = amount if currency is None else whole_coins(amount, currency)
    except ValueError:
        return None
    return whole if 0 < whole <= MAXIMUM else None


def _currency(total: re.Match[str]) -> str | None:
    named = (total.group(1) or total.group(3) or "").upper()
    return named if named in CURRENCIES else None


def _day(text: str) -> date | None:
    for match in _DAY.finditer(text):
        year, month, day = match.group(1, 2, 3) if match.group(1) else match.group(6, 5, 4)
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def _merchant(text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return _CONTROL.sub("", first)[:LONGEST_NAME]


def _category(text: str) -> Category:
    lower = text.lower()
    return next((category for category, words in _WORDS.items() if any(w in lower for w in words)), Category.OTHER)
