import math
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.budget import Budget, Count, burn_at_most, burn_rate, countdown, pace

MONTH = 30 * 86_400
OBJECTIVES = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999]) | st.floats(0.001, 0.999)
COUNTS = st.builds(Count, st.integers(0, 10**9), st.integers(0, 10**9))


def _numbers(budget: Budget) -> list[float]:
    values = [budget.consumed_ratio, budget.remaining_ratio, budget.remaining_events, budget.remaining_minutes]
    return [value for value in values if value is not None]


@given(OBJECTIVES, st.lists(st.booleans(), max_size=300))
def test_a_budget_is_what_counting_one_by_one_says(objective: float, stream: list[bool]) -> None:
    budget = Budget(objective, Count(stream.count(True), stream.count(False)), MONTH)
    if not stream:
        assert budget.remaining_ratio is None
        return
    bad = sum(1 for good in stream if not good)
    allowed = (1 - objective) * len(stream)
    assert budget.remaining_events == pytest.approx(allowed - bad, abs=1e-6)
    assert budget.remaining_ratio == pytest.approx((allowed - bad) / allowed, rel=1e-6, abs=1e-6)
    assert budget.consumed_ratio == pytest.approx(bad / allowed, rel=1e-6)


@given(OBJECTIVES, COUNTS)
def test_nothing_is_ever_not_a_number_nor_all_of_a_budget_on_no_events(objective: float, count: Count) -> None:
    budget = Budget(objective, count, MONTH)
    assert all(math.isfinite(number) for number in _numbers(budget))
    assert (budget.remaining_ratio is None) == (count.total == 0)
    assert (count.sli is None) == (count.total == 0)


@given(OBJECTIVES, st.lists(COUNTS, min_size=1, max_size=20))
def test_the_whole_burns_as_its_parts_do_by_their_events(objective: float, parts: list[Count]) -> None:
    whole = sum(parts[1:], parts[0])
    burns = [(burn_rate(part, objective) or 0) * part.total for part in parts]
    if whole.total:
        assert burn_rate(whole, objective) == pytest.approx(sum(burns) / whole.total, rel=1e-9)
    else:
        assert burn_rate(whole, objective) is None


def test_a_spent_budget_is_not_the_same_as_one_that_is_overdrawn() -> None:
    assert Budget(0.99, Count(99, 1), MONTH).remaining_ratio == pytest.approx(0)
    assert Budget(0.99, Count(965, 35), MONTH).remaining_ratio == pytest.approx(-2.5)


def test_the_reports_example_has_45_percent_left_at_a_burn_of_0_55() -> None:
    budget = Budget(0.999, Count(999_450, 550), MONTH)
    assert budget.remaining_ratio == pytest.approx(0.45)
    assert budget.consumed_ratio == pytest.approx(0.55)
    assert budget.remaining_minutes == pytest.approx(0.45 * 43.2)


@given(OBJECTIVES)
def test_nothing_burns_faster_than_an_outage(objective: float) -> None:
    assert burn_rate(Count(0, 7), objective) == pytest.approx(burn_at_most(objective))


@pytest.mark.parametrize(
    ("objective", "total", "measurable"),
    [(0.999, 10_000, True), (0.999, 9_999, False), (0.99999, 999_999, False), (0.99999, 1_000_000, True)],
)
def test_an_objective_is_measurable_where_ten_bad_events_are_allowed(
    objective: float, total: int, *, measurable: bool
) -> None:
    assert Budget(objective, Count(total), MONTH).is_measurable is measurable


def test_a_budget_lasts_its_period_at_a_burn_of_one() -> None:
    assert [pace(burn, MONTH) for burn in (1, 2, 0, None)] == [MONTH, MONTH / 2, None, None]


@pytest.mark.parametrize(
    ("remaining", "burn", "seconds"),
    [
        (0.5, 1, MONTH / 2),
        (0.5, 10, MONTH / 20),
        (0.0, 1, 0),
        (-1, 0, 0),
        (0.5, 0, None),
        (0.5, None, None),
        (None, 1, None),
    ],
    ids=str,
)
def test_a_countdown_is_how_long_the_rest_lasts(
    remaining: float | None, burn: float | None, seconds: float | None
) -> None:
    assert countdown(remaining, burn, MONTH) == seconds


def test_a_count_that_went_backwards_is_not_valid() -> None:
    counts = [Count(5, 1) - Count(6, 0), Count(5, 1) - Count(0, 2), Count(math.nan), Count(0, math.inf)]
    assert not any(count.is_valid for count in counts)
    assert all(count.is_valid for count in chain([Count()], [Count(1, 1)]))
