"""What every command has in common: help, completion, JSON, and errors without tracebacks."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mita_otel import cli
from mita_otel.cli import Commands, app

PROGRAM = str(Path(sys.prefix) / "bin" / "mita-otel")


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", **environment})


def program(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, env=variables, check=False)


@pytest.mark.parametrize("name", Commands.table)
def test_the_table_says_of_each_command_what_its_own_help_says(name: str) -> None:
    module = importlib.import_module(f"mita_otel.cli.{name}")
    told = module.app.info.help if hasattr(module, "app") else inspect.getdoc(module.run)
    assert str(told).startswith(Commands.table[name])


@pytest.mark.parametrize("name", Commands.table)
def test_every_command_has_help_of_its_own(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout or name in {"stack", "console", "alerts", "dashboards", "audit", "slo"}


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys\n"
        "from mita_otel.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'pydantic', 'mita_otel.settings', 'mita_otel.stack', 'mita_otel.doctor'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in ended.stdout for name in Commands.table)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_the_settings_are_read_without_the_export() -> None:
    code = (
        "import sys, mita_otel.settings; print([m for m in sys.modules if m.startswith(('opentelemetry', 'google'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_command_that_is_not_there_is_a_line_with_a_suggestion() -> None:
    result = run("doctr")
    assert result.exit_code == 2
    assert "doctor" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown_for_a_shell(shell: str) -> None:
    shown = program("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert shown.returncode == 0
    assert "_MITA_OTEL_COMPLETE" in shown.stdout


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mita-otel ", set(Commands.table)),
        ("mita-otel do", {"doctor"}),
        ("mita-otel stack ", {"up", "down", "status", "logs", "build", "clean"}),
        ("mita-otel doctor --", {"--json", "--app", "--service", "--help"}),
    ],
)
def test_completion_knows_commands_and_options(line: str, words: set[str]) -> None:
    completed = program(_MITA_OTEL_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(line.split(" ")) - 1))
    assert set(completed.stdout.split()) == words


def test_version_names_the_consistent_set() -> None:
    document = json.loads(run("version", "--json").stdout)
    assert document["version"] == version("mita-otel")
    assert document["consistent"] is True
    assert document["packages"]["opentelemetry-sdk"] == {
        "installed": version("opentelemetry-sdk"),
        "expected": version("opentelemetry-sdk"),
    }
    assert {"python", "platform", "implementation"} <= set(document)
    people = run("version").stdout
    assert people.startswith(f"mita-otel {version('mita-otel')}\n")
    assert f"opentelemetry-sdk{' ' * 24}{version('opentelemetry-sdk')}" in people


def test_settings_are_told_as_rows_and_as_json() -> None:
    environment = {"MITA_ADMIN_TOKEN": "hunter2hunter2hunter2", "MITA_LOG_LEVEL": "debug"}
    result = run("settings", "--json", **environment)
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert rows["MITA_ADMIN_TOKEN"]["value"] == "[REDACTED]"
    assert rows["MITA_LOG_LEVEL"] == {
        "name": "MITA_LOG_LEVEL",
        "value": "DEBUG",
        "source": "environment",
        "allowed": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    }
    lines = run("settings", **environment).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == list(rows)
    assert "hunter2" not in result.stdout + "".join(lines)


def test_settings_that_are_not_allowed_are_exit_code_1() -> None:
    result = run("settings", "--json", MITA_LOG_FORMAT="xml")
    assert result.exit_code == 1
    assert "not allowed" in str([row for row in json.loads(result.stdout) if row["name"] == "MITA_LOG_FORMAT"])


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        (["--service", "http://127.0.0.1:1"], {"MITA_ADMIN_TOKEN": ""}, "set MITA_ADMIN_TOKEN"),
        (["--service", "ftp://x"], {}, "give a URL"),
        (["--service", "http://me:hunter2@127.0.0.1:1"], {}, "does not answer"),
    ],
)
def test_a_service_that_cannot_be_asked_is_a_line_and_exit_code_69(
    words: list[str], environment: dict[str, str], message: str
) -> None:
    result = run("doctor", *words, **{"MITA_ADMIN_TOKEN": "0123456789abcdef", **environment})
    assert (result.exit_code, result.stdout) == (69, "")
    assert message in result.stderr
    assert "hunter2" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no\nreason")

    monkeypatch.setattr("mita_otel.cli.settings.rows", fail)
    monkeypatch.setattr(cli, "_debug", [])


@pytest.mark.usefixtures("_broken")
def test_an_unexpected_error_is_a_line_and_exit_code_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["mita-otel", "settings"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 70
    assert capsys.readouterr().err == "mita-otel: RuntimeError: no reason (mita-otel --debug ... shows where)\n"


@pytest.mark.usefixtures("_broken")
def test_under_debug_an_unexpected_error_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mita-otel", "--debug", "settings"])
    with pytest.raises(RuntimeError, match="reason"):
        cli.main()
