"""The comparison of circuit breakers tells what happened."""

import pytest

from benchmarks.breakers.__main__ import table, verdict
from benchmarks.breakers.behaviour import QUESTIONS, Finding, examine
from benchmarks.breakers.cost import measure
from benchmarks.breakers.libraries import SUBJECTS

BY_NAME = {subject.name: subject for subject in SUBJECTS}


def test_ours_does_right_whatever_is_asked() -> None:
    found = examine(BY_NAME["mita_otel, by rate"])
    assert {question: finding.told for question, finding in found.items() if not finding.is_right} == {}


def test_a_breaker_that_probes_with_everybody_is_told_to_be_wrong() -> None:
    found = examine(BY_NAME["aiobreaker 1.2.0"])
    assert found["probes let through of 50 at once"] == Finding("50 of 50", is_right=False)
    subject = BY_NAME["aiobreaker 1.2.0"]
    assert "**50 of 50**" in table((subject,), {subject.name: found}, {subject.name: (1.0, None)})


@pytest.mark.parametrize(("ours", "status"), [(2.0, 0), (4.0, 1)])
def test_ours_may_cost_what_the_fastest_correct_one_does(
    ours: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    right = dict.fromkeys(QUESTIONS, Finding("right", is_right=True))
    wrong = dict.fromkeys(QUESTIONS, Finding("wrong", is_right=False))
    found = {"mita_otel": right, "slow": right, "fast and wrong": wrong}
    assert verdict(found, {"mita_otel": (ours, None), "slow": (3.0, None), "fast and wrong": (0.1, None)}) == status
    assert "the fastest correct one of the others 3.00 us" in capsys.readouterr().out


def test_costs_are_told_where_there_is_a_way_to_call() -> None:
    costs = measure((BY_NAME["pybreaker 1.4.1"], BY_NAME["mita_otel, in a row"]), rounds=1)
    assert [cost is None for pair in costs.values() for cost in pair] == [True, False, False, False]
