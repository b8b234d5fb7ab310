from hypothesis import given
from hypothesis import strategies as st

from benchmarks.overhead.rounds import within


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
