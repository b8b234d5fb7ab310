"""`mita-instrument` chooses this distribution whatever the environment says."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation import auto_instrumentation

from mita_otel import instrument
from mita_otel.hook import FOLDER
from tests.unit.cli.launching import launch

PRINT = (
    "import os; from mita_otel import bootstrap;"
    "print(bootstrap.running() is not None, os.environ['OTEL_PYTHON_DISTRO'], os.environ['OTEL_PYTHON_CONFIGURATOR'])"
)
TELL = f"#!{sys.executable} -IS\nimport json, os, sys\nprint(json.dumps([sys.argv, dict(os.environ)]))\n"
"""A program that tells what it was given; what starts telemetry in Python does not reach it."""
CHOSEN = {"OTEL_PYTHON_DISTRO": "mita", "OTEL_PYTHON_CONFIGURATOR": "mita"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program `tell`, and `inner/tell` which is the same."""
    for program in (tmp_path / "tell", tmp_path / "inner" / "tell"):
        program.parent.mkdir(exist_ok=True)
        program.write_text(TELL)
        program.chmod(0o755)
    return tmp_path


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


@pytest.mark.parametrize("words", [
    ["tell"],
    ["./tell", "--port", "80", "-v", "", "two words"],
    ["inner/tell", "--distro", "x", "--log_level"],
    ["tell", "x", "--", "--service_name", "y"],
    ["--service_name", "orders", "tell", "--port"],
])  # fmt: skip
@pytest.mark.parametrize("given", ["nothing", "an empty path", "a path", "a path with both"])
def test_a_program_is_given_what_the_launcher_gives_it(words: list[str], given: str, folder: Path) -> None:
    def give(launcher: str, hook: str) -> list[Any]:
        paths = {
            "nothing": {},
            "an empty path": {"PYTHONPATH": ""},
            "a path": {"PYTHONPATH": f"lib{os.pathsep}/srv/lib"},
            "a path with both": {"PYTHONPATH": os.pathsep.join(["lib", hook, str(folder), hook])},
        }
        environment = {**CHOSEN, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **paths[given]}
        ended = launch(*words, launcher=launcher, folder=folder, **environment)
        assert ended.returncode == 0, ended.stderr
        got: list[Any] = json.loads(ended.stdout)
        first, *rest = got[1]["PYTHONPATH"].split(os.pathsep)
        assert first == hook
        got[1]["PYTHONPATH"] = rest
        return got

    # With options of its own, and with the word that ends them, the launcher is what runs.
    [theirs] = auto_instrumentation.__path__
    ours = theirs if words[0].startswith("--") or "--" in words else FOLDER
    assert give("mita-instrument", ours) == give("opentelemetry-instrument", theirs)


def test_a_program_gets_words_that_the_launcher_would_take_for_its_own(folder: Path) -> None:
    # Its parser looks at them all, and ends at the beginning of an option that several of its own have.
    ended = launch("./tell", "--exporter", folder=folder)
    assert json.loads(ended.stdout)[0] == ["./tell", "--exporter"]


def test_the_launcher_is_not_loaded(tmp_path: Path) -> None:
    asked = (
        "import os, sys; before = set(sys.modules); from mita_otel import instrument;"
        "os.execl = lambda *words: (print(*sorted(set(sys.modules) - before)), os._exit(0));"
        "sys.stdout = sys.stderr; sys.argv[1:] = ['sh']; instrument.main()"
    )
    told = subprocess.run([sys.executable, "-IS", "-c", f"import sys; sys.path[1:] = {sys.path!r}; {asked}"],
        capture_output=True, text=True, cwd=tmp_path, check=True)  # fmt: skip
    assert set(told.stderr.split()) - {"warnings"} == {
        "mita_otel", "mita_otel.instrument",
    }  # fmt: skip


SEEN = """
import json, os, pathlib, sys
from mita_otel import bootstrap

name = pathlib.Path("/proc/self/comm")
print(json.dumps({
    "telemetry": bootstrap.running() is not None,
    "words": sys.argv,
    "words of Python": sys.orig_argv[1:],
    "path": sys.path,
    "PYTHONPATH": os.environ["PYTHONPATH"],
    "names": sorted({**globals(), "__annotations__": {}}),
    "file": sys._getframe().f_code.co_filename,
    "main": [__name__, __file__, __spec__, __package__, __cached__, type(__loader__).__name__, __loader__.name],
    "it is": sys.modules["__main__"].__dict__ is globals(),
    "builtins": __builtins__ is sys.modules["builtins"],
    "process": name.read_text() if name.exists() else "",
}))
"""
"""A program that tells what a script of Python can see of how it was started."""


def script(path: Path, code: str, python: str = sys.executable) -> Path:
    """Write a script that the system gives to a Python."""
    path.write_text(f"#!{python}\n{code}")
    path.chmod(0o755)
    return path


@pytest.fixture
def other_python() -> str:
    """Another name of the Python that runs the tests: it has the same packages."""
    names = (str(Path(sys.prefix, "bin", name)) for name in ("python3", "python"))
    return next(name for name in names if name != sys.executable)


@pytest.mark.parametrize("environment", [
    {}, {"PYTHONPATH": ""}, {"PYTHONPATH": "/srv/lib"}, {"PYTHONPATH": f"/srv/lib{os.pathsep}."},
    {"PYTHONPATH": "HERE"}, {"PYTHONSAFEPATH": "1"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("command", ["{}/bin/serve", "serve", "./bin/serve", "bin/../bin/serve", "./link"])
def test_a_script_of_our_python_sees_what_it_would_see_in_a_python_of_its_own(
    environment: dict[str, str], command: str, tmp_path: Path, other_python: str
) -> None:
    own = tmp_path / "bin" / "serve"
    own.parent.mkdir()
    (tmp_path / "link").symlink_to(own)
    variables = {name: str(tmp_path) if value == "HERE" else value for name, value in environment.items()}

    def see(python: str) -> dict[str, Any]:
        script(own, SEEN, python)
        search = f"bin{os.pathsep}{os.environ['PATH']}"
        ended = launch(command.format(tmp_path), "--port", "80", folder=tmp_path, PATH=search, **variables)
        assert (ended.returncode, ended.stderr) == (0, "")
        seen: dict[str, Any] = json.loads(ended.stdout)
        assert seen["telemetry"]
        return seen

    assert see(sys.executable) == see(other_python)


def test_a_script_of_our_python_takes_no_second_start_of_python(tmp_path: Path, other_python: str) -> None:
    def starts(python: str) -> int:
        ended = launch(str(script(tmp_path / "serve", "print('ran')", python)), PYTHONPROFILEIMPORTTIME="1")
        assert ended.stdout == "ran\n"
        return sum(line.endswith(" site") for line in ended.stderr.splitlines())

    assert (starts(sys.executable), starts(other_python)) == (1, 2)


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no port')", 1, "no port\n"),
        ("raise RuntimeError('broken')", 1, "RuntimeError: broken\n"),
        ("if True print('x')", 1, "SyntaxError: "),
        ("x = '\0'", 1, "SyntaxError: "),
    ],
    ids=["a status", "a sentence", "an exception", "a mistake", "not text"],
)
def test_a_script_ends_as_python_ends_it(code: str, status: int, told: str, tmp_path: Path) -> None:
    ended = launch(str(script(tmp_path / "serve", code)))
    assert (ended.returncode, ended.stdout) == (status, "")
    assert told in ended.stderr


def test_processes_that_a_script_starts_have_telemetry_and_its_functions(tmp_path: Path) -> None:
    code = """
import multiprocessing
from mita_otel import bootstrap

def work(queue):
    queue.put((__name__, bootstrap.running() is not None))

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    worker = context.Process(target=work, args=(queue,))
    worker.start()
    print(queue.get(timeout=50))
    worker.join()
"""
    ended = launch(str(script(tmp_path / "serve.py", code)), MITA_STRICT="1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "('__mp_main__', True)\n", "")


def test_a_script_runs_where_telemetry_cannot_be_loaded(tmp_path: Path, other_python: str) -> None:
    (tmp_path / "wrapt.py").write_text("raise RuntimeError('broken')")
    for python in (sys.executable, other_python):
        ended = launch(str(script(tmp_path / "serve", "print('ran')", python)), PYTHONPATH=str(tmp_path))
        assert (ended.returncode, ended.stdout) == (0, "ran\n")
        assert "RuntimeError" in ended.stderr


def test_a_program_that_cannot_be_read_is_run_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    def become(*words: str) -> None:
        raise ChildProcessError(*words)

    monkeypatch.setattr(instrument, "open", refuse, raising=False)
    monkeypatch.setattr(sys, "argv", ["mita-instrument", str(script(tmp_path / "serve", ""))])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, *sys.argv])
    monkeypatch.setattr(os, "execl", become)
    for variable in (*CHOSEN, "PYTHONPATH"):
        monkeypatch.setenv(variable, "")
    with pytest.raises(ChildProcessError, match="serve"):
        instrument.main()


def test_an_installer_gets_no_telemetry(tmp_path: Path) -> None:
    ended = launch(str(script(tmp_path / "pip", PRINT)))
    assert (ended.returncode, ended.stdout) == (0, "False mita mita\n")


@given(
    command=st.sampled_from(["tell", "./tell", "inner/tell", "inner", "no", "", "tell/", "../tell"]),
    search=st.none() | st.lists(st.sampled_from(["", ".", "inner", "no", "/usr/bin"]), max_size=3).map(os.pathsep.join),
)
def test_programs_are_found_where_the_launcher_finds_them(command: str, search: str | None) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name), pytest.MonkeyPatch.context() as patched:
        for program in (Path("tell"), Path("inner", "tell")):
            program.parent.mkdir(exist_ok=True)
            program.touch(0o755)
        Path("no").touch(0o644)
        patched.delenv("PATH") if search is None else patched.setenv("PATH", search)
        assert instrument.find(command) == shutil.which(command)


def test_the_launcher_itself_is_asked_for_what_its_own_hook_alone_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(auto_instrumentation, "run", lambda: ran.append("the launcher"))
    monkeypatch.setattr(sys, "argv", ["mita-instrument", "sh"])
    monkeypatch.setenv("OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH", "patch_all")
    for variable, value in CHOSEN.items():
        monkeypatch.setenv(variable, value)
    instrument.main()
    assert ran == ["the launcher"]
