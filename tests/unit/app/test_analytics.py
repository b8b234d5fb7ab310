"""Totals know how old they are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.analytics import DORMANT, FRESH, REFRESHED, age, is_stale, next_refresh, share

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
steps = st.timedeltas(timedelta(days=-2), timedelta(days=2))


@pytest.mark.parametrize(
    ("since", "waiting", "expected"),
    [
        pytest.param(timedelta(0), False, False, id="new"),
        pytest.param(FRESH, False, False, id="five minutes"),
        pytest.param(FRESH + timedelta(seconds=1), False, True, id="older"),
        pytest.param(timedelta(0), True, True, id="changed meanwhile"),
        pytest.param(timedelta(seconds=-1), False, False, id="a moment in the future"),
        pytest.param(timedelta(hours=-1), False, True, id="the clock was set back"),
    ],
)
def test_totals_are_stale_when_old_when_changed_and_when_nobody_knows(
    since: timedelta, *, waiting: bool, expected: bool
) -> None:
    assert is_stale(NOW - since, NOW, changes_waiting=waiting) is expected


@given(steps)
def test_an_age_is_never_below_zero(step: timedelta) -> None:
    assert age(NOW - step, NOW) == max(step, timedelta(0))


@given(steps)
def test_totals_in_use_are_refreshed_before_they_are_stale_and_others_left_alone(step: timedelta) -> None:
    due = next_refresh(NOW - step, NOW)
    assert due == (NOW + REFRESHED if step < DORMANT else None)
    assert REFRESHED < FRESH


@given(st.lists(st.decimals("0", "1000000000000", places=2), min_size=1, max_size=9))
def test_shares_add_up_to_a_hundred_or_to_nothing(parts: list[Decimal]) -> None:
    whole = sum(parts, Decimal(0))
    total = sum((share(part, whole) for part in parts), Decimal(0))
    if whole == 0:
        assert total == 0
    else:
        assert abs(total - 100) <= Decimal("0.05") * len(parts)
