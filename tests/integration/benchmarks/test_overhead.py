"""The harness from end to end, small: real databases, real environments, ours against bare."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.overhead.environments import ROOT

# One worker for all: another one would make the report again, after waiting for the first, which has the machine alone.
pytestmark = pytest.mark.xdist_group("overhead")

_COMMAND = (sys.executable, "-m", "benchmarks.overhead")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a run's files, and the lines of its output; environments are made if they are not there."""
    folder = tmp_path_factory.mktemp("overhead")
    small = ("--requests", "mixed", "--rounds", "1", "--limit", "60", "--warm-up", "0", "--paced", "0.3")
    files = ("--json", str(folder / "report.json"), "--markdown", str(folder / "report.md"))
    done = subprocess.run(
        [*_COMMAND, "--variants", "bare,ours", *small, *files],
        cwd=ROOT, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines()


def test_ours_delivers_what_a_request_owes(report: tuple[Path, list[str]]) -> None:
    found = json.loads((report[0] / "report.json").read_text())
    content = found["contents"]["ours"]["requests"]["mixed"]
    operations = [(span["operation"], span["parent"], span["number"]) for span in content["spans"]]
    above = "GET /mixed"
    assert sorted(operations) == [("http", above, 1), ("redis", above, 1), ("server", "", 1), ("sql", above, 1)]
    assert (content["logs"], content["linked"]) == (2, 1)
    assert found["variants"]["ours"]["costs"]["mixed"]["delivery"] == {
        "spans": 1, "operations": 1, "logs": 1, "measurements": 1, "missing": [],
    }  # fmt: skip


def test_bare_delivers_nothing_and_owes_nothing(report: tuple[Path, list[str]]) -> None:
    found = json.loads((report[0] / "report.json").read_text())
    assert found["contents"]["bare"]["requests"]["mixed"]["spans"] == []
    assert found["contents"]["bare"]["metrics"] == []
    assert found["variants"]["bare"]["costs"]["mixed"]["delivery"] is None


def test_each_run_has_its_figures(report: tuple[Path, list[str]]) -> None:
    found = json.loads((report[0] / "report.json").read_text())
    assert sorted(run["variant"] for run in found["runs"]) == ["bare", "ours"]
    for run in found["runs"]:
        sample = run["samples"]["mixed"]
        assert sample["requests"] == 60
        assert sample["cpu"] > 0
        assert 0 < sample["p50"] <= sample["p99"]
        assert run["started"] > 0
        assert (run["own_start"] is not None) == (run["variant"] == "ours")
        assert run["resident"] > 30_000_000
        assert run["calibration"]["cpu_ms"] > 0


def test_the_report_and_its_chart_are_written(report: tuple[Path, list[str]]) -> None:
    folder, _ = report
    assert "](report.svg)" in (folder / "report.md").read_text()
    assert (folder / "report.svg").read_text().startswith("<svg ")


def test_the_last_line_is_the_verdict(report: tuple[Path, list[str]]) -> None:
    # There is no ratio without vanilla.
    assert json.loads(report[1][-1]) == {"mixed": {"ratio": None}}
