"""The benchmark of the answers, run small so that it cannot rot."""

import json
import subprocess
import sys
from pathlib import Path

from tests.fixtures.service import ROOT, clean_environment


def test_every_query_of_the_benchmark_is_answered(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.console_queries", "--json", "--rounds", "2", "--folder", str(tmp_path)]
    ended = subprocess.run(
        [*command, "--spans", "4000", "--records", "800"],
        cwd=ROOT,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["stored"]["spans"], report["stored"]["records"]) == (4000, 800)
    assert len(report["milliseconds"]) > 30
    assert all(len(rounds) == 2 for rounds in report["milliseconds"].values())
    assert report["memory_mib"] > 0
