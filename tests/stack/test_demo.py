"""The demonstration with the real backends."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.service import PROGRAMS, ROOT, clean_environment

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_one_round_finds_its_trace_its_lines_and_its_metric(binaries: dict[str, Path], demo_folder: Path) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "mita-otel"), "demo", "--stack", "--once", "--json", "--seconds", "5", "--folder", demo_folder],
        env=clean_environment({}), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["linked"] is True
    assert all(count > 0 for count in report["found"].values())
    assert min(report["traces"], report["logs"], report["metrics"]) > 0
