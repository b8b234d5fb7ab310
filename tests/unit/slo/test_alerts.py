import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.alerts import MIN_BAD, Alarm, Rule, Window, is_firing, judge, rules
from mita_otel.slo.budget import Count, burn_at_most

DAY = 86_400
PAGE = rules(0.999, 30 * DAY)[0]
FIRING = Count(900, 100)


def _judged(long: Window, short: Window, objective: float = 0.999) -> Alarm:
    return judge(PAGE, objective, {PAGE.long: long, PAGE.short: short})


def test_the_factors_for_30_days_are_those_of_the_workbook() -> None:
    assert [(rule.long, rule.short, rule.factor) for rule in rules(0.999, 30 * DAY)] == [
        (3_600, 300, 14.4),
        (21_600, 1_800, 6),
        (86_400, 7_200, 3),
        (259_200, 21_600, 1),
    ]


def test_the_factors_for_28_days_spend_the_same_share() -> None:
    assert [rule.factor for rule in rules(0.999, 28 * DAY)] == [13.44, 5.6, 2.8, 1]


def test_windows_longer_than_half_a_period_are_left_out() -> None:
    assert [rule.long for rule in rules(0.999, 2 * DAY)] == [3_600, 21_600, 86_400]


@given(st.floats(0.001, 0.99999), st.integers(1, 31))
def test_an_outage_reaches_every_factor_and_no_alert_is_below_the_pace(objective: float, days: int) -> None:
    for rule in rules(objective, days * DAY):
        assert 1 <= rule.factor <= burn_at_most(objective)
        assert rule.spent == pytest.approx(rule.factor * rule.long / (days * DAY))


def test_both_windows_must_burn() -> None:
    assert _judged(Window(FIRING), Window(FIRING)) is Alarm.FIRING
    assert _judged(Window(FIRING), Window(Count(100))) is Alarm.QUIET
    assert _judged(Window(Count(100_000, 100)), Window(FIRING)) is Alarm.QUIET


def test_no_traffic_is_quiet() -> None:
    assert _judged(Window(Count()), Window(Count())) is Alarm.QUIET
    assert _judged(Window(FIRING), Window(Count())) is Alarm.QUIET


def test_a_few_bad_events_wake_nobody() -> None:
    assert _judged(Window(Count(1, MIN_BAD - 1)), Window(Count(1, 1))) is Alarm.QUIET
    assert _judged(Window(Count(1, MIN_BAD)), Window(Count(1, 1))) is Alarm.FIRING


@pytest.mark.parametrize("burnt", [Count(100), FIRING], ids=["quiet", "burning"])
def test_what_was_not_observed_freezes(burnt: Count) -> None:
    assert _judged(Window(burnt, 0.89), Window(burnt)) is Alarm.FROZEN
    assert _judged(Window(burnt), Window(burnt, 0.5)) is Alarm.FROZEN
    assert _judged(Window(Count(-1, 5)), Window(burnt)) is Alarm.FROZEN


@pytest.mark.parametrize("before", [True, False])
def test_a_frozen_alert_neither_begins_nor_ends(*, before: bool) -> None:
    assert is_firing(Alarm.FROZEN, before) is before
    assert is_firing(Alarm.FIRING, before) is True
    assert is_firing(Alarm.QUIET, before) is False


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 500), st.integers(0, 500))
def test_an_alert_is_what_the_definition_says(good: int, bad: int, good_now: int, bad_now: int) -> None:
    rule = Rule("page", 3600, 300, 0.02, 14.4)
    burns = [14.4 * 0.001 * (g + b) <= b and g + b > 0 for g, b in ((good, bad), (good_now, bad_now))]
    windows = {3600: Window(Count(good, bad)), 300: Window(Count(good_now, bad_now))}
    expected = Alarm.FIRING if all(burns) and bad >= MIN_BAD else Alarm.QUIET
    assert judge(rule, 0.999, windows) is expected
