"""The launcher chooses our distribution unless the user chose another."""

import os
import subprocess
import sys

import pytest

CODE = """
import os, mita_otel.preference
print(os.environ["OTEL_PYTHON_DISTRO"], os.environ["OTEL_PYTHON_CONFIGURATOR"])
"""


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({}, "mita mita"),
        ({"OTEL_PYTHON_DISTRO": "", "OTEL_PYTHON_CONFIGURATOR": " "}, "mita mita"),
        ({"OTEL_PYTHON_DISTRO": "other", "OTEL_PYTHON_CONFIGURATOR": "another"}, "other another"),
    ],
    ids=["nothing set", "set to nothing", "a choice of the user's"],
)
def test_distribution_and_configurator_are_ours_unless_chosen_otherwise(variables: dict[str, str], chosen: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", CODE]
    ended = subprocess.run(command, env={**kept, **variables}, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == chosen
