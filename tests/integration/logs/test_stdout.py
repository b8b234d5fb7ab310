"""Standard output that is a real pipe: order, whole lines, and a reader that goes away."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
INSTALL = """
import logging, os, sys
from opentelemetry.sdk.resources import Resource
from mita_otel.logs import install
who = Resource({})
installed = install(logger_provider=None, resource=lambda: who, format="auto")
log = logging.getLogger("shop")
"""


def run(
    program: str, stdout: int = subprocess.PIPE, pass_fds: tuple[int, ...] = ()
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", INSTALL + program],
        cwd=ROOT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        pass_fds=pass_fds,
        env={"PYTHONPATH": str(ROOT)},
    )


def test_lines_and_prints_come_in_their_order() -> None:
    done = run("print('first'); log.info('second'); print('third')")

    first, second, third = done.stdout.splitlines()
    assert (first, json.loads(second)["message"], third) == ("first", "second", "third")


def test_a_reader_that_went_away_changes_neither_the_program_nor_its_exit_status() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("log.info('lost')\ninstalled.flush()\nassert installed.faults == {'stdout': 1}\nsys.exit(7)", writing)
    os.close(writing)

    assert done.returncode == 7
    assert done.stderr == ""


def test_a_full_pipe_that_must_not_block_loses_lines_and_counts_them() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # Longer than what a pipe takes at once, so that the last line that went in is torn.
    program = f"""
for _ in range(100): log.info("x" * 5000)
installed.flush()
lost = installed.faults["stdout"]
os.read({reading}, 60_000)
log.info("after")
installed.flush()
sys.exit(3 if lost and installed.faults["stdout"] == lost else 4)
"""
    done = run(program, writing, pass_fds=(reading,))
    os.close(writing)
    with os.fdopen(reading) as stream:
        last = stream.read().splitlines()[-1]

    assert done.returncode == 3
    assert done.stderr == ""
    assert json.loads(last)["message"] == "after"


def test_lines_of_forked_processes_are_whole() -> None:
    program = """
children = []
for child in range(3):
    pid = os.fork()
    if pid == 0:
        for number in range(200):
            log.info("%s %s %s", child, number, "x" * 300)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
"""
    lines = [json.loads(line) for line in run(program).stdout.splitlines()]

    assert len(lines) == 600
    assert len({line["process.pid"] for line in lines}) == 3


def test_a_closed_stdout_is_tolerated() -> None:
    done = run("sys.stdout.close(); log.info('lost'); sys.stdout = None; log.info('lost'); sys.exit(5)")

    assert done.returncode == 5
    assert done.stderr == ""


def test_a_full_disk_below_stdout_is_counted_and_changes_nothing_else() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = run(
            "for _ in range(100): log.info('lost')\ninstalled.flush()\nsys.exit(installed.faults['stdout'])",
            full.fileno(),
        )

    assert done.returncode == 100
    assert done.stderr == ""
