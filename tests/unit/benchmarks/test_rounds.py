from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.overhead import rounds
from benchmarks.overhead.faults import LoadError, MeasurementError
from benchmarks.overhead.machine import Calibration, Calm, Cores
from benchmarks.overhead.rounds import Effort, Run, within
from benchmarks.overhead.surroundings import Sink, Surroundings
from benchmarks.overhead.variants import VARIANTS


def _rounds(seconds: float, rounds: int, lengths: list[float]) -> list[int]:
    """Return which rounds are begun if they take so long each."""
    begun: list[int] = []
    numbers = within(seconds, rounds, lambda: sum(lengths[: len(begun)]))
    while number := next(numbers, 0):
        begun.append(number)
    return begun


def test_all_rounds_are_begun_without_a_budget() -> None:
    assert _rounds(float("inf"), 3, [1e6, 1e6, 1e6]) == [1, 2, 3]


def test_a_round_that_would_not_fit_is_not_begun() -> None:
    assert _rounds(35, 5, [10, 10, 10, 10, 10]) == [1, 2, 3]


def test_the_longest_round_is_the_measure_of_the_next() -> None:
    assert _rounds(35, 5, [20, 5, 5]) == [1]
    assert _rounds(44, 5, [20, 5, 5]) == [1, 2]


def test_the_first_round_is_begun_even_without_time() -> None:
    assert _rounds(-1, 5, [10]) == [1]


@given(st.floats(0, 1000), st.integers(1, 20), st.floats(0.1, 100))
def test_rounds_of_equal_length_end_within_the_budget(seconds: float, rounds: int, length: float) -> None:
    begun = len(_rounds(seconds, rounds, [length] * rounds))
    assert 1 <= begun <= rounds
    assert begun == 1 or begun * length <= seconds * (1 + 1e-9)


_VARIANTS = [VARIANTS[name] for name in ("bare", "vanilla", "ours")]


def _measured(monkeypatch: pytest.MonkeyPatch, fails_at: int, wanted: int = 3) -> tuple[list[str], str]:
    """Return the variants of the runs that are kept if one of them fails, and what is said of it."""
    begun: list[str] = []

    def run(_bench: Any, variant: Any, _effort: Effort) -> Run:
        begun.append(variant.name)
        if len(begun) == fails_at:
            raise LoadError("it has gone")
        return Run(variant.name, Calibration(30.0, 1.0), 0.8, 1, {}, 1, 1, 0, 0)

    monkeypatch.setattr(rounds, "_run", run)
    bench = rounds._Bench(Surroundings(Sink(1), {}), {}, Cores(0, 1), Path(), Calm(0))
    runs, fault = rounds._rounds(bench, _VARIANTS, Effort(rounds=wanted), lambda _: None)
    return [run.variant for run in runs], fault


def test_the_order_is_reversed_each_other_round(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, fault = _measured(monkeypatch, fails_at=0)
    assert kept == ["bare", "vanilla", "ours", "ours", "vanilla", "bare", "bare", "vanilla", "ours"]
    assert fault == ""


def test_a_fault_in_a_later_round_leaves_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, fault = _measured(monkeypatch, fails_at=5)
    assert kept == ["bare", "vanilla", "ours"]
    assert fault == "round 2, vanilla: it has gone"


def test_a_fault_in_the_first_round_leaves_nothing_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MeasurementError, match="it has gone"):
        _measured(monkeypatch, fails_at=3)
