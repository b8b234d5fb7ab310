from dataclasses import replace
from fractions import Fraction
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.retries import BudgetTerms
from mita_otel.retries.budget import Balance, asked, opened, settled

# Whole sixteenths: sums of floats are then exact, and the model may say how it has to be to the last bit.
SIXTEENTHS = st.integers(0, 64).map(lambda number: number / 16)
TERMS = st.builds(
    BudgetTerms,
    ratio=st.integers(0, 16).map(lambda number: number / 16),
    per_second=SIXTEENTHS,
    most=st.integers(1, 20).map(float),
    initial=st.just(0.0) | st.just(1.0),
)
EVENTS = st.lists(st.tuples(st.sampled_from(["call", "retry"]), SIXTEENTHS), max_size=60)


class Purse:
    """The budget as one would write it down: every coin is put in when it is earned."""

    def __init__(self, terms: BudgetTerms) -> None:
        self.most = Fraction(terms.most)
        self.ratio = Fraction(terms.ratio)
        self.per_second = Fraction(terms.per_second)
        self.coins = Fraction(terms.initial)

    def earn(self, coins: Fraction) -> None:
        self.coins = min(self.most, self.coins + coins)

    def passes(self, seconds: float) -> None:
        self.earn(self.per_second * Fraction(seconds))

    def calls(self) -> None:
        self.earn(self.ratio)

    def pays(self) -> bool:
        if self.coins < 1:
            return False
        self.coins -= 1
        return True


@given(TERMS, EVENTS)
def test_it_grants_what_the_plain_model_grants(terms: BudgetTerms, events: list[tuple[str, float]]) -> None:
    purse, balance, now, calls = Purse(terms), opened(terms, 0.0), 0.0, 0
    for what, pause in events:
        now += pause
        purse.passes(pause)
        if what == "call":
            calls += 1
            purse.calls()
        else:
            balance, granted = asked(terms, balance, calls, now)
            assert granted == purse.pays()
    assert settled(terms, balance, calls, now).tokens == purse.coins


@given(TERMS, EVENTS)
def test_retries_are_never_more_than_the_terms_say(terms: BudgetTerms, events: list[tuple[str, float]]) -> None:
    balance, now, calls, retries = opened(terms, 0.0), 0.0, 0, 0
    for what, pause in events:
        now += pause
        if what == "call":
            calls += 1
        else:
            balance, granted = asked(terms, balance, calls, now)
            retries += granted
        assert retries <= terms.initial + terms.ratio * calls + terms.per_second * now


@given(TERMS, st.integers(0, 10**15), st.floats(0, 1e12))
def test_a_balance_stays_within_its_purse(terms: BudgetTerms, calls: int, now: float) -> None:
    assert 0 <= settled(terms, opened(terms, 0.0), calls, now).tokens <= terms.most


@given(TERMS, st.floats(-1e9, 1e9))
def test_a_clock_that_jumps_back_earns_nothing_and_loses_nothing(terms: BudgetTerms, jump: float) -> None:
    before = Balance(0.5, 0, 1e9)
    after = settled(terms, before, 0, 1e9 - abs(jump))
    assert (after.tokens, after.at) == (0.5, 1e9)


def test_a_fifth_of_the_calls_may_be_tried_again() -> None:
    terms = BudgetTerms(per_second=0, initial=0)
    balance, granted = opened(terms, 0), 0
    for call in range(1, 101):
        balance, may = asked(terms, balance, call, 0)
        granted += may
    assert granted in {19, 20}  # a fifth, as far as floats know one


@pytest.mark.parametrize("field", ["ratio", "per_second", "most", "initial"])
@pytest.mark.parametrize("value", [-1, nan, inf, "1", None, True, 1e9])
def test_nonsense_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field}="):
        replace(BudgetTerms(), **{field: value})


def test_a_purse_cannot_begin_with_more_than_fits() -> None:
    with pytest.raises(ValueError, match="initial"):
        BudgetTerms(most=5, initial=6)
