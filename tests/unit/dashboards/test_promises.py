"""Colours and lines that follow what is promised."""

from mita_otel.dashboards import promises
from mita_otel.dashboards.boards import boards
from mita_otel.slo import parse
from mita_otel.slo.policy import STAGES
from tests.fixtures.service import ROOT

MITA = parse((ROOT / "collector" / "slo" / "mita.yaml").read_text())
STRICTER = parse(
    (ROOT / "collector" / "slo" / "mita.yaml")
    .read_text()
    .replace("within: 500ms", "within: 300ms")
    .replace("target: 0.999 }", "target: 0.9995 }")
)


def test_latencies_change_colour_at_the_promised_thresholds() -> None:
    assert promises.latency(MITA, "service") == ((None, "green"), (0.2, "yellow"), (0.5, "orange"), (1.0, "red"))
    assert [value for value, _ in promises.latency(STRICTER, "service")] == [None, 0.2, 0.3, 1.0]


def test_a_service_that_promises_nothing_is_green() -> None:
    assert promises.latency(MITA, "nobody") == promises.errors(MITA, "nobody") == ((None, "green"),)


def test_errors_change_colour_where_budget_is_overspent_and_where_someone_is_woken() -> None:
    assert promises.errors(MITA, "service") == ((None, "green"), (0.001, "yellow"), (0.006, "red"))
    assert promises.errors(STRICTER, "service") == ((None, "green"), (0.0005, "yellow"), (0.003, "red"))


def test_a_share_is_red_below_its_objective() -> None:
    assert promises.kept(MITA, "service", "availability") == ((None, "red"), (0.999, "green"))


def test_a_budget_has_a_colour_for_each_stage_of_the_policy() -> None:
    steps = promises.budget()
    assert [value for value, _ in steps[1:]] == sorted(stage.above for stage in STAGES)[1:]
    assert (steps[0][1], steps[-1][1]) == ("red", "green")


def test_burn_has_a_colour_for_each_alert() -> None:
    assert [value for value, _ in promises.burn()] == [None, 1.0, 3.0, 6.0, 14.4]


def test_dashboards_of_another_specification_have_its_thresholds() -> None:
    ours, theirs = (
        {step for board in boards(given) for panel in board.panels for step, _ in panel.steps}
        for given in (MITA, STRICTER)
    )
    assert 0.999 in ours - theirs
    assert 0.9995 in theirs
