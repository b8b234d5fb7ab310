"""The clocks and cores of real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.overhead import machine
from benchmarks.overhead.environments import ROOT

_BURN = "import time\nwhile time.process_time() < 0.2: pass\n"


@contextmanager
def _python(code: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


def _told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_clock_of_a_process_counts_its_work_and_not_its_sleep() -> None:
    with _python(f"{_BURN}print('done', flush=True)\ninput()") as process:
        assert _told(process) == "done"
        assert 0.2 <= machine.cpu_seconds(process.pid) < 0.4


def test_the_clock_of_a_process_counts_children_that_have_ended() -> None:
    code = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BURN!r}])\nprint('done', flush=True)\ninput()"
    )
    with _python(code) as process:
        assert _told(process) == "done"
        assert machine.cpu_seconds(process.pid) >= 0.2


def test_the_clock_of_a_process_counts_children_that_live(eventually: Callable[..., float]) -> None:
    child = f"{_BURN}input()"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    with _python(code) as process:
        assert eventually(lambda: machine.cpu_seconds(process.pid) >= 0.2)


def test_a_process_that_is_gone_has_no_clock() -> None:
    with _python("") as process:
        process.wait()
        with pytest.raises(ProcessLookupError):
            machine.cpu_seconds(process.pid)


def test_a_process_started_on_a_core_stays_there() -> None:
    core = machine.cores().server
    before = os.sched_getaffinity(0)
    with machine.on_core(core), _python("import os\nprint(os.sched_getaffinity(0), flush=True)\ninput()") as process:
        assert _told(process) == str({core})
    assert os.sched_getaffinity(0) == before


def test_a_process_goes_before_others_within_the_block_alone() -> None:
    # In a session of its own, whose place would otherwise be that of this test.
    code = (
        "from benchmarks.overhead import machine\n"
        "places = [machine.niceness()]\n"
        "with machine.first():\n    places.append(machine.niceness())\n"
        "print(*places, machine.niceness())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, start_new_session=True, check=True
    )
    before, within, after = map(int, done.stdout.split())
    assert before == after >= within
    assert within < before or os.geteuid() != 0


def test_memory_is_that_of_a_process_and_its_children() -> None:
    with _python("held = bytearray(50_000_000)\nprint('done', flush=True)\ninput()") as process:
        assert _told(process) == "done"
        assert 50_000_000 <= machine.resident_bytes(process.pid) < 90_000_000


def test_a_calibration_takes_time_and_tells_who_else_uses_the_core() -> None:
    began = time.perf_counter()
    found = machine.calibrate(machine.cores().server)
    assert 0 < found.cpu_ms < 1000 * (time.perf_counter() - began)
    assert found.busy > 0.9


@pytest.mark.parametrize(
    ("speeds", "asked", "told"),
    [
        ([30.0], 1, 30.0),
        ([30.0, 60.0, 31.0], 2, 31.0),
        ([60.0, 30.0], 2, 30.0),
    ],
    ids=["calm", "busy for a moment", "calm after a busy start"],
)
def test_a_measurement_waits_until_the_core_is_nearly_as_fast_as_it_was(
    speeds: list[float], asked: int, told: float
) -> None:
    left = iter(speeds)
    calm = machine.Calm(0, calibration=lambda _: machine.Calibration(next(left), 1.0))
    found = [calm.wait() for _ in range(asked)]
    assert found[-1].cpu_ms == told


def test_a_host_that_stays_busy_is_not_waited_for_for_ever() -> None:
    left = iter([30.0, 60.0])
    calm = machine.Calm(0, patience=0.0, calibration=lambda _: machine.Calibration(next(left), 1.0))
    assert [calm.wait().cpu_ms, calm.wait().cpu_ms] == [30.0, 60.0]
