"""SQLAlchemy 2.0 is held to the same tests as 2.1."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fixtures.service import ROOT

OLDER = Path(sys.prefix) / "overlays" / "sqlalchemy-2.0"


TESTS = (
    "tests/unit/libraries/test_sqlalchemy.py",
    "tests/unit/libraries/test_sqlalchemy_transactions.py",
    "tests/integration/libraries/test_transactions.py",
    "tests/integration/libraries/test_up.py",
)


def test_the_same_tests_pass_with_sqlalchemy_2_0() -> None:
    assert (OLDER / "sqlalchemy").exists(), "run 'make setup'"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        env={**os.environ, "PYTHONPATH": str(OLDER)},
        cwd=ROOT, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:]
