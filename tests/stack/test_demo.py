"""The README's first command."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.fixtures.polling import eventually
from tests.fixtures.service import PROGRAMS, ROOT, ServiceProcess, clean_environment

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_one_round_finds_its_trace_its_lines_and_its_metric(binaries: dict[str, Path]) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "mita-otel"), "demo", "--once", "--json", "--requests", "20"],
        env=clean_environment({}), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert all(count > 0 for count in report["found"].values())
    assert sum(report["sent"].values()) == 22


def test_make_demo_says_where_to_look_and_takes_everything_down(
    start_service: Callable[..., ServiceProcess], binaries: dict[str, Path]
) -> None:
    demo = start_service(["make", "demo", f"PYTHON={sys.executable}"], {})
    eventually(lambda: "of that request" in demo.stdout, timeout=200)
    assert all(f"{what} " in demo.stdout for what in ("trace", "logs", "metric"))
    children = psutil.Process(demo.pid).children(recursive=True)
    next(child for child in children if "demo" in child.cmdline()).send_signal(signal.SIGINT)
    demo.wait(60)
    eventually(lambda: not [child for child in children if child.is_running()], timeout=20)
