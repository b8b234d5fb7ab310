"""`mita-instrument` chooses this distribution whatever the environment says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(sys.prefix) / "bin"
PRINT = (
    "import os; from mita_otel import bootstrap;"
    "print(bootstrap.running() is not None, os.environ['OTEL_PYTHON_DISTRO'], os.environ['OTEL_PYTHON_CONFIGURATOR'])"
)


def launch(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "MITA_"))}
    silent = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    return subprocess.run(
        [str(PROGRAMS / "mita-instrument"), *words],
        env={**kept, **silent, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_PYTHON_DISTRO": "splunk_distro", "OTEL_PYTHON_CONFIGURATOR": "configurator"},
        {"OTEL_PYTHON_DISTRO": "", "OTEL_PYTHON_CONFIGURATOR": ""},
    ],
    ids=["nothing chosen", "others chosen", "empty choices"],
)
def test_this_distribution_runs(environment: dict[str, str]) -> None:
    ended = launch(sys.executable, "-c", PRINT, **environment, MITA_STRICT="1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True mita mita\n", "")


def test_the_launchers_options_reach_it() -> None:
    code = "import os; print(os.environ['OTEL_SERVICE_NAME'], os.environ['OTEL_TRACES_SAMPLER'])"
    ended = launch("--service_name", "orders", "--traces_sampler=always_off", sys.executable, "-c", code)
    assert (ended.returncode, ended.stdout) == (0, "orders always_off\n")


def test_options_of_the_program_are_its_own() -> None:
    ended = launch(sys.executable, "-c", "import sys; print(sys.argv[1:])", "--distro", "x")
    assert (ended.returncode, ended.stdout) == (0, "['--distro', 'x']\n")


@pytest.mark.parametrize("words", [["--distro", "x"], ["--configurator=x"], ["--service_name", "a", "--distr", "x"]])
def test_another_choice_on_the_command_line_is_refused(words: list[str]) -> None:
    ended = launch(*words, sys.executable, "-c", "print('ran')")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is mita here; opentelemetry-instrument lets you choose" in ended.stderr


def test_a_program_that_is_not_there_is_a_line_and_exit_code_127() -> None:
    ended = launch("no-such-program", "x")
    assert (ended.returncode, ended.stdout) == (127, "")
    assert ended.stderr == "mita-instrument: there is no program 'no-such-program' on the PATH\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_and_version_are_the_launchers(words: list[str]) -> None:
    ended = launch(*words)
    assert ended.returncode == 0
    assert "mita-instrument" in ended.stdout
