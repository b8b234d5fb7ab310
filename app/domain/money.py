"""Amounts of money: decimal, never float, in whole units of their currency's smallest coin."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

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

MAXIMUM = Decimal(10) ** 12
"""The largest amount, in units of any currency, before and after conversion."""

MAXIMUM_RATE = Decimal(10) ** 8
"""Above every rate there is; what is larger is a fault of the one who tells it."""

PRECISION = 60
"""Digits of arithmetic: an amount times a rate is rounded once, at the end."""


def not_float(value: object) -> object:
    """Return what was given if it can be exact.

    Raises:
        ValueError: it is a float, which has lost digits already, or a boolean.
    """
    if isinstance(value, float | bool):
        raise ValueError('must be a decimal string such as "12.50"')  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _known(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("is not a currency we know")
    return currency


KnownCurrency = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{3}$"),
    AfterValidator(_known),
    Field(json_schema_extra={"enum": sorted(CURRENCIES), "examples": ["EUR"]}),
]

_DESCRIBED = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$"},
        {"type": "integer", "minimum": 1, "maximum": int(MAXIMUM)},
    ],
    "examples": ["12.50"],
}
"""What pydantic would say of a decimal allows floats."""

Amount = Annotated[
    Decimal,
    BeforeValidator(not_float),
    Field(gt=0, le=MAXIMUM, max_digits=17, decimal_places=4),
    WithJsonSchema(_DESCRIBED, mode="validation"),
]
"""A string or a whole number, never a float; above zero, at most a million million, at most four decimal places."""


def quantum(currency: str) -> Decimal:
    """Return the smallest amount of a currency."""
    return Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2))


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """Round half to even, as banks do, to whole units of the currency's smallest coin."""
    with localcontext() as context:
        context.prec = PRECISION
        return amount.quantize(quantum(currency), ROUND_HALF_EVEN)


def whole_coins(amount: Decimal, currency: str) -> Decimal:
    """Return an amount with its currency's decimal places.

    Raises:
        ValueError: the amount has more decimal places than the currency.
    """
    rounded = round_to_currency(amount, currency)
    if rounded != amount:
        raise ValueError(f"{currency} has {MINOR_DIGITS.get(currency, 2)} decimal places")
    return rounded


def convert(amount: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return an amount times a rate, rounded to the target currency.

    Raises:
        ValueError: the rate is not above zero, not finite or absurd, or the result is above `MAXIMUM`.
    """
    if not is_rate(rate):
        raise ValueError(f"a rate must be above zero and below {MAXIMUM_RATE}, not {rate}")
    with localcontext() as context:
        context.prec = PRECISION
        converted = round_to_currency(amount * rate, currency)
    if converted > MAXIMUM:
        raise ValueError(f"is above {MAXIMUM} in {currency}")
    return converted


def is_rate(rate: Decimal) -> bool:
    """Say whether a number can be an exchange rate."""
    return rate.is_finite() and 0 < rate < MAXIMUM_RATE
