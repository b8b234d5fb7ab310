"""However a process ends, the lines that it logged before are there: on standard output and in files."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.polling import eventually

ROOT = Path(__file__).parents[3]
BEGIN = """
import logging, multiprocessing, os, signal, sys, threading, time
from pathlib import Path
from opentelemetry.sdk.resources import Resource
from mita_otel.lifecycle import Exit
from mita_otel.logs import install
who = Resource({})
place = os.environ.get("PLACE")
installed = install(logger_provider=None, resource=lambda: who, format="json", directory=Path(place) if place else None)
log = logging.getLogger("shop")
"""


def run(program: str, place: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", BEGIN + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT), **({} if place is None else {"PLACE": str(place)})},
    )


def numbers(text: str) -> list[int]:
    return [int(json.loads(line)["message"]) for line in text.splitlines()]


LOG_MANY = "for number in range(500): log.info('%d', number)\n"


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("logging.shutdown(); os._exit(5)", 5),
        ("raise SystemExit(6)", 6),
        (
            "Exit([('logs', installed.closing())], 5).register(); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
            -signal.SIGTERM,
        ),
    ],
    ids=["end", "exit", "_exit", "shutdown", "SystemExit", "SIGTERM"],
)
def test_nothing_that_was_logged_is_missing(tmp_path: Path, ending: str, status: int) -> None:
    ended = run(LOG_MANY + ending, tmp_path)

    assert ended.returncode == status
    assert ended.stderr == ""
    assert numbers(ended.stdout) == list(range(500))
    assert numbers((tmp_path / "mita.json.log").read_text()) == list(range(500))


def test_an_exception_that_nobody_catches_loses_nothing() -> None:
    ended = run(LOG_MANY + "raise ValueError")

    assert ended.returncode == 1
    assert ended.stderr.endswith("ValueError\n")
    assert numbers(ended.stdout) == list(range(500))


def test_what_exit_handlers_log_is_written_too() -> None:
    ended = run("import atexit; atexit.register(lambda: log.info('2'))\nlog.info('1')\ninstalled.closing()(5)")

    assert numbers(ended.stdout) == [1, 2]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_of_multiprocessing_lose_nothing(tmp_path: Path, method: str) -> None:
    module = tmp_path / "work.py"
    module.write_text(
        BEGIN.replace("installed = install", "if __name__ != '__main__' or True:\n    installed = install")
        + "def work(first):\n    for number in range(first, first + 100): log.info('%d', number)\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    processes = [context.Process(target=work, args=(first,)) for first in range(0, 400, 100)]\n"
        "    for process in processes: process.start()\n"
        "    for process in processes: process.join()\n"
    )
    ended = subprocess.run(
        [sys.executable, str(module)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )

    assert ended.stderr == ""
    assert sorted(numbers(ended.stdout)) == list(range(400))


def test_a_fork_in_the_middle_of_a_storm_doubles_and_loses_nothing() -> None:
    program = """
def storm():
    for number in range(20_000): log.info("%d", number)
thread = threading.Thread(target=storm)
thread.start()
children = []
for child in range(1, 6):
    pid = os.fork()
    if pid == 0:
        log.info("%d", -child)
        os._exit(0)
    children.append(pid)
for pid in children: os.waitpid(pid, 0)
thread.join()
"""
    ended = run(program)

    assert ended.stderr == ""
    assert sorted(numbers(ended.stdout)) == [*range(-5, 0), *range(20_000)]


def test_a_killed_process_leaves_whole_lines_and_loses_the_last_moment_alone(tmp_path: Path) -> None:
    program = "number = 0\nwhile True:\n    log.info('%d', number)\n    number += 1\n    time.sleep(0.0002)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + program],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT), "PLACE": str(tmp_path)},
    )
    file = tmp_path / "mita.json.log"
    try:
        eventually(lambda: file.exists() and file.stat().st_size > 200_000)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    text = file.read_text()
    assert text.endswith("\n")
    assert numbers(text) == list(range(len(text.splitlines())))


def test_a_clock_that_goes_back_costs_nothing(tmp_path: Path) -> None:
    program = """
real = time.time
for number in range(300):
    record = logging.LogRecord("shop", logging.INFO, "shop.py", 1, "%d", (number,), None)
    record.created = real() - number * 3600
    log.handle(record)
"""
    ended = run(program, tmp_path)

    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert numbers(ended.stdout) == list(range(300))
    assert numbers((tmp_path / "mita.json.log").read_text()) == list(range(300))
    assert lines[0]["timestamp"] > lines[-1]["timestamp"]
