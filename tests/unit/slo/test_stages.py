"""The error budget's policy is data: in the file of objectives, checked like the rest of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.documents import SpecificationError
from mita_otel.slo.policy import STAGES, stage
from mita_otel.slo.specification import Slo, load
from tests.fixtures.service import ROOT
from tests.unit.slo.openslo import policy, slo, specification

MINE = (policy("fine", 0), policy("tense", 0.4, action="talk"), policy("over", 1.2, action="stop"))


def _made(*documents: dict[str, Any]) -> Slo:
    [made] = specification(slo(), *documents).slos
    return made


def _problem(*documents: dict[str, Any]) -> str:
    with pytest.raises(SpecificationError) as caught:
        specification(slo(), *documents)
    [problem] = caught.value.problems
    return problem


def test_the_reference_service_has_the_stages_of_the_report() -> None:
    assert {each.stages for each in load(ROOT / "collector" / "slo" / "mita.yaml").slos} == {STAGES}


def test_a_file_without_a_policy_has_the_reports() -> None:
    assert _made().stages == STAGES


def test_a_file_may_have_stages_of_its_own() -> None:
    stages = _made(*MINE).stages
    assert [(each.name, each.above, each.action) for each in stages] == [
        ("fine", 0.6, "look"),
        ("tense", -0.2, "talk"),
        ("over", float("-inf"), "stop"),
    ]
    assert stages[0].actions == ("Look at it.", "Now.")
    assert [stage(left, None, stages).name for left in (1, 0.61, 0.6, -0.19, -0.2)] == [
        "fine",
        "fine",
        "tense",
        "tense",
        "over",
    ]


@given(st.floats(-3, 1), st.floats(-3, 1))
def test_stages_of_ones_own_do_not_flap_either(first: float, then: float) -> None:
    stages = _STAGES
    before = stage(first, None, stages)
    after = stage(then, before, stages)
    assert stage(then, after, stages) is after
    assert stages.index(after) >= stages.index(stage(then, None, stages))


_STAGES = _made(*MINE).stages


def test_a_period_without_stages_has_the_reports() -> None:
    week = slo("weekly", window={"duration": "7d", "isRolling": True})
    mine, others = specification(slo(), week, *MINE).slos
    assert (mine.stages == others.stages, others.stages) == (False, STAGES)


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        ([policy("fine", 0.1)], "spec.conditions[0].spec.condition.threshold: the first stage of a period begins at 0"),
        ([policy("fine", 0), policy("worse", 0)], "condition.threshold: 0 is not above that of the stage before"),
        ([policy("fine", 0, period="7d")], "condition.lookbackWindow: '7d' is no objective's period"),
        ([policy("fine", 0), policy("fine", 0.5)], "metadata.name: 'fine' is taken already, in line 46"),
        ([policy("fine", -1)], "condition.threshold: input should be greater than or equal to 0"),
        ([policy("fine", 0, action="Stop it!")], "metadata.annotations.mita/action: string should match pattern"),
        ([policy("fine", 0, actions=" \n ")], "metadata.annotations.mita/actions: names nothing to do"),
        ([policy(f"stage-{number}", number) for number in range(11)], "10 stages are the most"),
    ],
    ids=["no beginning", "no order", "no period", "a name twice", "negative", "no action", "no actions", "too many"],
)
def test_a_policy_that_cannot_be_is_refused_where_it_is(documents: list[dict[str, Any]], told: str) -> None:
    problem = _problem(*documents)
    assert problem.startswith("slo.yaml:")
    assert told in problem


def test_a_condition_of_another_kind_is_refused() -> None:
    document = policy("fine", 0)
    document["spec"]["conditions"][0]["spec"]["condition"]["op"] = "lt"
    assert "condition.op: input should be 'gte'" in _problem(document)
