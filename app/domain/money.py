"""Amounts of money: decimal, never float, in whole units of their currency's smallest coin."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3}
"""Decimal places of currencies that do not have two. Source: ISO 4217."""

CURRENCIES = frozenset(
    {
        *("AED", "ARS", "AUD", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK"),
        *("DKK", "EGP", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW"),
        *("KWD", "MXN", "MYR", "NOK", "NZD", "OMR", "PEN", "PHP", "PLN", "QAR", "RON", "RUB"),
        *("SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    }
)
"""Currencies that the service accepts. Source: ISO 4217."""

Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Amount = Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 12, max_digits=16, decimal_places=4)]
"""Above zero, at most a million million, at most four decimal places."""


def quantum(currency: str) -> Decimal:
    """Return the smallest amount of a currency."""
    return Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """Round half to even, as banks do, to whole units of the currency's smallest coin."""
    return amount.quantize(quantum(currency), ROUND_HALF_EVEN)


def convert(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return an amount times a rate, rounded to the target currency.

    Raises:
        ValueError: the rate is not above zero, or not finite.
    """
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"a rate must be above zero, not {rate}")
    return round_to_currency(amount * rate, currency)
