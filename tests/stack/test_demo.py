"""The demonstration with the real backends."""

import json
import subprocess
from pathlib import Path

import pytest

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED
from mita_otel.metrics.instrument import OURS
from mita_otel.slo import series
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment
from tests.stack.demonstration import Shown

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_one_round_finds_its_trace_its_lines_and_its_metric(binaries: dict[str, Path], demo_folder: Path) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "mita-otel"), "demo", "--stack", "--once", "--json", "--seconds", "2", "--folder", demo_folder],
        env=clean_environment({}), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert report["linked"] is True
    assert all(count > 0 for count in report["found"].values())
    assert min(report["traces"], report["logs"], report["metrics"]) > 0


def test_the_demonstration_feeds_at_least_sixty_metrics_of_the_report_and_no_other(shown: Shown) -> None:
    ours = {instrument.prometheus_name for instrument in INSTRUMENTS.values() if instrument.source == OURS}
    ruled = {row.name for row in DERIVED} | {series.AVAILABILITY, series.REMAINING}
    assert shown.families - ours - ruled == set(), "not in the catalogue"
    assert len(shown.families) >= 60, sorted(shown.families)
