import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.policy import HYSTERESIS, STAGES, State, stage, state, worst

LEFT = st.floats(-5, 1)


@pytest.mark.parametrize(
    ("remaining", "name", "action"),
    [
        (1.0, "normal", "normal_operations"),
        (0.76, "normal", "normal_operations"),
        (0.75, "caution", "review_recent_changes"),
        (0.45, "slowdown", "freeze_non_critical_deployments"),
        (0.25, "freeze", "emergency_reliability_focus"),
        (0.0001, "freeze", "emergency_reliability_focus"),
        (0.0, "exhausted", "complete_deployment_freeze"),
        (-1.75, "exhausted", "complete_deployment_freeze"),
    ],
)
def test_a_stage_is_the_reports(remaining: float, name: str, action: str) -> None:
    assert (stage(remaining).name, stage(remaining).action) == (name, action)


@given(LEFT, st.sampled_from(STAGES))
def test_a_worse_stage_is_entered_at_once(remaining: float, before: object) -> None:
    known = next(each for each in STAGES if each is before)
    if STAGES.index(stage(remaining)) >= STAGES.index(known):
        assert stage(remaining, known) is stage(remaining)


@given(LEFT, st.sampled_from(STAGES))
def test_a_stage_never_changes_again_while_the_budget_stays(remaining: float, before: object) -> None:
    known = next(each for each in STAGES if each is before)
    after = stage(remaining, known)
    assert stage(remaining, after) is after


@given(st.floats(-1, 0.98), st.lists(st.floats(0, HYSTERESIS * 0.99), max_size=20))
def test_a_stage_does_not_flap_around_a_bound(middle: float, swings: list[float]) -> None:
    now, changes = stage(middle), 0
    for swing in swings:
        after = stage(middle + swing, now)
        changes += after is not now
        now = after
        lower = stage(middle, now)
        changes += lower is not now
        now = lower
    assert changes <= 1


def test_a_full_budget_is_normal_whatever_was_before() -> None:
    assert all(stage(1.0, before) is STAGES[0] for before in STAGES)


@pytest.mark.parametrize(
    ("remaining", "burn", "expected"),
    [
        (None, None, State.NO_DATA),
        (None, 3, State.NO_DATA),
        (0.5, None, State.OK),
        (0.5, 1, State.OK),
        (0.5, 1.01, State.AT_RISK),
        (0, 0, State.EXHAUSTED),
        (-2, None, State.EXHAUSTED),
    ],
)
def test_a_state_is_told_by_what_is_left_and_how_it_burns(
    remaining: float | None, burn: float | None, expected: State
) -> None:
    assert state(remaining, burn) is expected


def test_nothing_is_well_as_long_as_one_is_exhausted() -> None:
    assert worst([State.OK, State.EXHAUSTED, State.NO_DATA]) is State.EXHAUSTED
    assert worst([State.NO_DATA, State.OK]) is State.OK
    assert worst([]) is State.NO_DATA
