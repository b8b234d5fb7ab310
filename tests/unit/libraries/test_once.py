"""A library is instrumented once, until that is taken back."""

from typing import cast

import pytest

from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once

TELEMETRY = cast("Telemetry", None)  # handed on, not looked at


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def instrument(done: list[str]) -> Once:
    def work(_: Telemetry) -> Instrumented:
        done.append("made")
        return Instrumented("library", "1.0", "ours", lambda: done.append("undone"))

    return Once(work)


def test_a_second_call_changes_nothing_and_returns_what_the_first_did(instrument: Once, done: list[str]) -> None:
    assert instrument(TELEMETRY) is instrument(TELEMETRY)
    assert done == ["made"]


def test_what_is_taken_back_can_be_done_again(instrument: Once, done: list[str]) -> None:
    instrument(TELEMETRY).undo()
    instrument(TELEMETRY)
    assert done == ["made", "undone", "made"]


def test_it_is_taken_back_once(instrument: Once, done: list[str]) -> None:
    instrumented = instrument(TELEMETRY)
    instrumented.undo()
    instrumented.undo()
    instrument.undo()
    assert done == ["made", "undone"]


def test_what_failed_is_not_done(done: list[str]) -> None:
    @Once
    def instrument(_: Telemetry) -> Instrumented:
        done.append("tried")
        raise RuntimeError("an unknown version")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            instrument(TELEMETRY)
    assert done == ["tried", "tried"]
