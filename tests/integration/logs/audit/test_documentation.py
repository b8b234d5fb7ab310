"""What the page says to do works, and prints what the page says it prints."""

import re
import subprocess
import sys
from pathlib import Path

from tests.fixtures.service import ROOT, clean_environment

PAGE = (ROOT / "docs" / "audit-log.md").read_text()


def test_the_steps_of_the_page_lead_to_a_log_that_verifies(tmp_path: Path) -> None:
    keep, verify = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[:2]
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert run(keep, tmp_path) == "the audit log's tables are there\n"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment(), check=True, timeout=60)
    said = run(verify, tmp_path).splitlines()
    assert f"    {said[0]}\n" in PAGE
    assert run("mita-otel audit export --database sqlite:///shop.db", tmp_path).count("\n") >= 6
    assert run("mita-otel audit spool --folder journals", tmp_path) == "no journals: every event is in its database\n"


def run(command: str, folder: Path) -> str:
    ended = subprocess.run(
        command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout


def environment() -> dict[str, str]:
    return clean_environment({"PYTHONPATH": str(ROOT)})
