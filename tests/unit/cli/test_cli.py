"""The command line as a person meets it."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mita_otel.cli import app


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"MITA_STACK_ENGINE": "native", "COLUMNS": "200", **environment})


def test_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"mita-otel {version('mita-otel')}\n"


@pytest.mark.parametrize("command", ["up", "down", "status", "logs", "build", "clean"])
def test_every_command_has_help(command: str) -> None:
    result = run("stack", command, "--help")
    assert result.exit_code == 0
    assert "MITA_CACHE_DIR" in result.stdout


def test_status_of_a_stack_that_was_never_started_is_stopped_and_exit_code_1(tmp_path: Path) -> None:
    result = run("stack", "status", "--json", MITA_STACK_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert {row["state"] for row in json.loads(result.stdout)} == {"stopped"}


def test_status_names_component_state_version_and_address(tmp_path: Path) -> None:
    first = run("stack", "status", "--folder", str(tmp_path)).stdout.splitlines()[0].split()
    assert first[:2] == ["jaeger", "stopped"]
    assert first[3] == "http://127.0.0.1:16686"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["up", "--port", "otlp_http"], "--port otlp_http: give it as name=number, as in otlp_http=5318"),
        (["up", "--overlay", "x"], "--overlay x: there is no such overlay; there are fsync, tail-sampling, tls, token"),
        (["up", "--overlay", "token"], "--overlay token: set STACK_OTLP_TOKEN to the token that clients must send"),
        (["logs", "x"], "there is no component 'x'; there are jaeger, prometheus, loki, alertmanager, otelcol"),
        (["logs"], "has the stack been started here?"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(words: list[str], message: str, tmp_path: Path) -> None:
    result = run("stack", *words, MITA_STACK_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_down_of_a_stack_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert run("stack", "down", MITA_STACK_DIR=str(tmp_path)).exit_code == 0


def test_starting_the_program_imports_neither_terminal_graphics_nor_frameworks() -> None:
    code = "import mita_otel.cli, sys; print(*sorted({'rich.progress', 'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
