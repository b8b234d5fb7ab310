"""Messages are delivered within five minutes, or come to an end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.notifications import (
    DELIVERED_WITHIN,
    LONGEST_PAUSE,
    Attempt,
    State,
    after,
    budget_exceeded,
    goal_reached,
    pause,
)
from app.storage.queue import LONGEST_WAIT

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempt", "state"),
    [(Attempt.ACCEPTED, State.DELIVERED), (Attempt.REFUSED, State.FAILED), (Attempt.FAILED, State.PENDING)],
)
def test_an_attempt_decides_the_state(attempt: Attempt, state: State) -> None:
    assert after(attempt, 1, NOW + DELIVERED_WITHIN, NOW)[0] is state


def test_what_fails_until_the_deadline_expires() -> None:
    now, attempts, tried = NOW, 0, []
    deadline = NOW + DELIVERED_WITHIN
    while True:
        attempts += 1
        state, due = after(Attempt.FAILED, attempts, deadline, now)
        if due is None:
            break
        tried.append(due)
        now = due + timedelta(milliseconds=1)
    assert state is State.EXPIRED
    assert tried[-1] == deadline
    assert 8 <= attempts <= 12


@given(st.sampled_from(Attempt), st.integers(1, 10**6), st.timedeltas(timedelta(days=-30), timedelta(days=30)))
def test_only_what_is_pending_is_tried_again_and_never_after_its_deadline(
    attempt: Attempt, attempts: int, step: timedelta
) -> None:
    deadline, now = NOW + DELIVERED_WITHIN, NOW + step
    state, due = after(attempt, attempts, deadline, now)
    assert (state is State.PENDING) == (due is not None)
    if due is not None:
        assert now <= due <= deadline


@given(st.integers(1, 10**9))
def test_pauses_grow_to_a_minute(attempts: int) -> None:
    assert timedelta(seconds=1) <= pause(attempts) <= pause(attempts + 1) <= LONGEST_PAUSE


def test_nothing_is_put_off_longer_than_what_tells_a_clock_that_was_set_back() -> None:
    assert DELIVERED_WITHIN < LONGEST_WAIT


def test_a_budget_is_told_of_once_a_month_and_category() -> None:
    first = budget_exceeded("2026-05", "food", Decimal(11), Decimal(10), "USD")
    again = budget_exceeded("2026-05", "food", Decimal(12), Decimal(10), "USD")
    other = budget_exceeded("2026-06", "food", Decimal(12), Decimal(10), "USD")
    assert first.key == again.key != other.key


def test_a_goal_is_told_of_again_when_its_target_was_raised() -> None:
    goal = UUID(int=1)
    first, same, raised = (goal_reached(goal, "x", Decimal(amount), "USD") for amount in ("10.00", "10", "20"))
    assert first.key == same.key != raised.key
