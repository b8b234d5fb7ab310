"""The verdict on a service's memory."""

from benchmarks.memory import ALLOWED, STEPS, judge, measure


def test_memory_that_is_taken_while_warming_up_is_no_growth() -> None:
    assert judge([50, 70, 90, 95, 100, *[101.0] * 15]).is_allowed


def test_memory_that_goes_up_and_down_is_no_growth() -> None:
    assert judge([100.0 + number % 2 for number in range(STEPS)]).is_allowed


def test_memory_that_grows_with_every_step_is_growth() -> None:
    growth = judge([100 + number * ALLOWED / 5 for number in range(STEPS)])
    assert not growth.is_allowed
    assert growth.after > growth.before + ALLOWED


def test_a_service_that_sends_everything_does_not_grow() -> None:
    growth = judge(measure(10_000))
    assert growth.is_allowed, growth
