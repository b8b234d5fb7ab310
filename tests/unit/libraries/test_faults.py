import logging

import pytest

from mita_otel.libraries.faults import Faults


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail() -> int:
    raise ZeroDivisionError


def test_a_guarded_function_answers_none_instead_of_raising(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults("library")

    assert faults.guard(fail)() is None
    assert faults.count == 1


def test_a_guarded_function_answers_what_it_would_without_the_guard() -> None:
    assert Faults("library").guard(lambda x: x + 1)(1) == 2


def test_a_guard_lets_the_end_of_the_process_through() -> None:
    def leave() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        Faults("library").guard(leave)()


def test_faults_are_logged_once_a_minute_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    failing = Faults("library", clock).guard(fail)

    with caplog.at_level(logging.WARNING):
        for clock.now in (0.0, 1.0, 59.0, 60.0):
            failing()

    assert [record.getMessage() for record in caplog.records] == [
        "telemetry of library failed, 1 times so far",
        "telemetry of library failed, 4 times so far",
    ]
