"""Where on the ladder a request begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.degradation.modes import LADDER, Cause, Mode, Situation, first_rung


@pytest.mark.parametrize(
    ("situation", "mode", "cause"),
    [
        (Situation(), Mode.FULL, Cause.NONE),
        (Situation(flag=Mode.GENERIC), Mode.GENERIC, Cause.FLAG),
        (Situation(flag=Mode.OFF, budget_remaining=1.0), Mode.OFF, Cause.FLAG),
        (Situation(seconds_left=0.5, seconds_needed=1.0), Mode.CACHED, Cause.DEADLINE),
        (Situation(seconds_left=1.0, seconds_needed=1.0), Mode.FULL, Cause.NONE),
        (Situation(budget_remaining=-0.1), Mode.CACHED, Cause.BUDGET),
        (Situation(budget_remaining=0.05, budget_reserve=0.1), Mode.CACHED, Cause.BUDGET),
        (Situation(budget_remaining=None, budget_reserve=0.1), Mode.FULL, Cause.NONE),
    ],
)
def test_a_request_begins_as_high_as_makes_sense(situation: Situation, mode: Mode, cause: Cause) -> None:
    assert first_rung(situation) == (mode, cause)


@given(
    st.builds(
        Situation,
        flag=st.sampled_from(Mode),
        seconds_left=st.floats(-10, 10),
        seconds_needed=st.floats(0, 10),
        budget_remaining=st.none() | st.floats(-2, 1),
        budget_reserve=st.floats(0, 1),
    )
)
def test_nobody_gets_more_than_the_flag_allows(situation: Situation) -> None:
    mode, cause = first_rung(situation)
    assert LADDER.index(mode) >= LADDER.index(situation.flag)
    assert (mode is Mode.FULL) == (cause is Cause.NONE)
