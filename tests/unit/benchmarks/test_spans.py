"""The benchmark of a span's steps measures both ways of each."""

from benchmarks.spans import measure, steps


def test_every_step_is_measured_both_ways_and_ours_costs_less() -> None:
    figures = measure(number=50, repeat=3)
    assert list(figures) == [name for name, _, _ in steps()]
    assert sum(of["ours"] for of in figures.values()) < sum(of["sdk"] for of in figures.values())
