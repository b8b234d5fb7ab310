"""Amounts are decimals in whole coins."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.budgets import Line, dashboard
from app.domain.money import CURRENCIES, MAXIMUM, convert, is_rate, quantum, round_to_currency, whole_coins

amounts = st.decimals(min_value="0.0001", max_value="1000000000000", places=4)
currencies = st.sampled_from(sorted(CURRENCIES))


@given(amounts, currencies)
def test_a_rounded_amount_is_a_whole_number_of_coins_and_within_half_a_coin(amount: Decimal, currency: str) -> None:
    rounded = round_to_currency(amount, currency)
    assert rounded % quantum(currency) == 0
    assert abs(rounded - amount) <= quantum(currency) / 2


@given(amounts, currencies)
def test_rounding_twice_changes_nothing(amount: Decimal, currency: str) -> None:
    once = round_to_currency(amount, currency)
    assert round_to_currency(once, currency) == once


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("0.125", "USD", "0.12"), ("0.135", "USD", "0.14"), ("2.5", "JPY", "2"), ("1.0005", "KWD", "1.000")],
)
def test_halves_go_to_the_even_coin(amount: str, currency: str, expected: str) -> None:
    assert str(round_to_currency(Decimal(amount), currency)) == expected


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        convert(Decimal(1), Decimal(rate), "USD")


@given(st.dictionaries(st.sampled_from("abc"), amounts), st.dictionaries(st.sampled_from("bcd"), amounts))
def test_a_dashboard_has_every_category_once_and_adds_up(limits: dict[str, Decimal], spent: dict[str, Decimal]) -> None:
    lines = dashboard(limits, spent)
    assert [line.category for line in lines] == sorted({*limits, *spent})
    assert sum(line.remaining for line in lines) == sum(limits.values()) - sum(spent.values())


def test_overspending_is_below_zero_and_above_a_hundred_percent() -> None:
    line = Line("food", Decimal(100), Decimal(150))
    assert (line.remaining, line.used_percent) == (Decimal(-50), Decimal("150.0"))


def test_without_a_limit_there_is_no_percentage() -> None:
    assert Line("food", Decimal(0), Decimal(5)).used_percent is None


rates = st.decimals(min_value="0.0000000001", max_value="99999999", places=10)


@given(amounts, rates, currencies)
def test_a_converted_amount_is_right_to_half_a_coin_or_refused(amount: Decimal, rate: Decimal, currency: str) -> None:
    exact = Fraction(amount) * Fraction(rate)
    try:
        converted = convert(amount, rate, currency)
    except ValueError:
        assert exact > Fraction(MAXIMUM) - 1
    else:
        assert abs(Fraction(converted) - exact) <= Fraction(quantum(currency)) / 2


@given(amounts, currencies)
def test_an_amount_in_whole_coins_is_kept_and_any_other_is_refused(amount: Decimal, currency: str) -> None:
    if amount % quantum(currency) == 0:
        assert whole_coins(amount, currency) == amount
    else:
        with pytest.raises(ValueError, match="decimal places"):
            whole_coins(amount, currency)


@given(st.decimals())
def test_any_number_can_be_judged_as_a_rate(number: Decimal) -> None:
    assert is_rate(number) in {True, False}
