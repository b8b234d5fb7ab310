"""Tests of one group run in one worker, and none of them is forgotten."""

import pytest

from tests.fixtures.service import ROOT

pytest_plugins = ["pytester"]

TESTS = """
import os, pytest
@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(12))
def test_number(number):
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_group_runs_in_one_worker(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(TESTS)
    pytester.makeconftest('pytest_plugins = ["tests.fixtures.node_ids"]')
    result = pytester.runpytest_subprocess("-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=12)
    assert len(set((pytester.path / "workers").read_text().split())) == 1
