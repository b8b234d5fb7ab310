"""Every alert of Prometheus, as promtool evaluates it: told when it should be, in these words, and not else."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from benchmarks.alert_week import false_alarms
from mita_otel.alerts import METRIC_ALERTS
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
BEFORE = {
    "alerts-signals.yml": ("mita-alerts-signals",),
    "slo.yml": ("mita-slo-events", "mita-slo-burn", "mita-slo-alerting", "mita-slo-budget"),
}
"""Groups that record what alerts ask for: promtool evaluates in the order of the names, if it is given them all."""


def _files(case: Case) -> tuple[str, ...]:
    [group] = [name for name, (_, alerts) in FILES.items() if case.alert in {alert.name for alert in alerts}]
    first = () if case.is_recorded else ("slo.yml" if group == "slo" else "alerts-signals.yml",)
    return (*first, f"alerts-{group}.yml")


def _written(folder: Path, cases: Iterable[Case]) -> list[Path]:
    """Write what promtool reads: a file for those that need the same rules, evaluated as often."""
    together: dict[tuple[tuple[str, ...], str], list[Case]] = {}
    for case in cases:
        together.setdefault((_files(case), case.every or case.step), []).append(case)
    paths = []
    for number, ((files, every), mine) in enumerate(together.items()):
        paths.append(folder / f"{number}.yml")
        content = {
            "rule_files": [str(RULES / file) for file in files],
            "evaluation_interval": every,
            "group_eval_order": [*BEFORE.get(files[0], ()), f"mita-{files[-1].removesuffix('.yml')}"],
            "tests": [case.written(BY_NAME[case.alert]) for case in mine],
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
    assert list(false_alarms(3, binaries["promtool"], begin=9)) == []


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="make soak replays a week, which takes minutes")
def test_a_week_of_normal_noise_raises_no_alarm(binaries: dict[str, Path]) -> None:
    assert list(false_alarms(7 * 24, binaries["promtool"])) == []
