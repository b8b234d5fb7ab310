"""Every alert of Prometheus, as promtool evaluates it: told when it should be, in these words, and not else."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from benchmarks.alert_week import false_alarms
from mita_otel.alerts import METRIC_ALERTS
from mita_otel.alerts import SLO as ALERTS_ON_OBJECTIVES
from mita_otel.generate.alert_rules import FILES
from mita_otel.stack import versions
from tests.fixtures.soak import SOAK
from tests.stack.alerts.availability import AVAILABILITY
from tests.stack.alerts.business import BUSINESS
from tests.stack.alerts.case import Case
from tests.stack.alerts.performance import PERFORMANCE
from tests.stack.alerts.pipeline import PIPELINE
from tests.stack.alerts.resources import RESOURCES
from tests.stack.alerts.slo import SLO

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

RULES = versions.root() / "collector" / "prometheus" / "rules"
BY_NAME = {alert.name: alert for alert in METRIC_ALERTS}
CASES = (*SLO, *AVAILABILITY, *PERFORMANCE, *RESOURCES, *BUSINESS, *PIPELINE)
SIGNALS = "alerts-signals.yml"
BEFORE = {
    SIGNALS: ("mita-alerts-signals",),
    "slo.yml": ("mita-slo-events", "mita-slo-burn", "mita-slo-alerting", "mita-slo-budget"),
}
"""Groups that record what alerts ask for: promtool evaluates in the order of the names, if it is given them all."""


def _first(alert: str, case: Case) -> str:
    """Return the file that records what an alert asks for; nothing where the case has that itself."""
    return "" if case.is_recorded else "slo.yml" if alert in {each.name for each in ALERTS_ON_OBJECTIVES} else SIGNALS


def _alone(alert: str, folder: Path) -> tuple[Path, str]:
    """Write a file of the rule of one alert alone, for others would only take time; return it with its group's name."""
    [group] = [name for name, (_, alerts) in FILES.items() if alert in {each.name for each in alerts}]
    document = yaml.safe_load((RULES / f"alerts-{group}.yml").read_text())
    [rules] = document["groups"]
    rules["rules"] = [rule for rule in rules["rules"] if rule["alert"] == alert]
    path = folder / f"{alert}.yml"
    path.write_text(yaml.safe_dump(document))
    return path, rules["name"]


def _written(folder: Path, cases: Iterable[Case]) -> list[Path]:
    """Write what promtool reads: a file for the cases of an alert that are evaluated as often."""
    together: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        together.setdefault((case.alert, _first(case.alert, case), case.every or case.step), []).append(case)
    paths = []
    for number, ((alert, first, every), mine) in enumerate(together.items()):
        paths.append(folder / f"{number}.yml")
        file, group = _alone(alert, folder)
        content = {
            "rule_files": [*([str(RULES / first)] if first else []), str(file)],
            "evaluation_interval": every,
            "group_eval_order": [*BEFORE.get(first, ()), group],
            "tests": [case.written(BY_NAME[alert]) for case in mine],
        }
        paths[-1].write_text(yaml.safe_dump(content, allow_unicode=True))
    return paths


def test_every_alert_is_told_when_it_should_be_and_not_else(binaries: dict[str, Path], tmp_path: Path) -> None:
    command: list[str | Path] = [binaries["promtool"], "test", "rules", *_written(tmp_path, CASES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_of_every_alert_is_shown_that_it_is_told_and_that_it_is_not() -> None:
    told = {case.alert for case in CASES if any(case.told.values())}
    quiet = {case.alert for case in CASES if case.quiet}
    assert told == set(BY_NAME)
    # The dead man's switch is told always.
    assert quiet == set(BY_NAME) - {"MitaWatchdog"}


def test_a_morning_of_normal_noise_raises_no_alarm(binaries: dict[str, Path]) -> None:
    assert list(false_alarms(2, binaries["promtool"], begin=9)) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not SOAK, reason="make soak replays a week, which takes minutes")
def test_a_week_of_normal_noise_raises_no_alarm(binaries: dict[str, Path]) -> None:
    assert list(false_alarms(7 * 24, binaries["promtool"])) == []
