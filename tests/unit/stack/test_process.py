"""Child processes, real ones."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mita_otel.stack import process
from mita_otel.stack.process import Running

Spawn = Callable[..., Running]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


@pytest.fixture
def spawn(log: Path) -> Iterator[Spawn]:
    started: list[Running] = []

    def start(code: str, **environment: str) -> Running:
        started.append(process.spawn((sys.executable, "-SEc", code), environment, log))
        return started[-1]

    yield start
    for running in started:
        process.kill(running)


@pytest.fixture
def wait_for_line(log: Path, poll: Callable[[Callable[[], bool]], None]) -> Callable[[str], None]:
    return lambda line: poll(lambda: log.exists() and line in log.read_text())


STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def test_output_and_errors_are_appended_to_the_log(spawn: Spawn, log: Path) -> None:
    for word in ("one", "two"):
        process.wait(spawn(f"import sys; print('{word}'); sys.stdout.flush(); print('error', file=sys.stderr)"), 10)
    assert log.read_text().split() == ["one", "error", "two", "error"]


def test_a_child_sees_only_the_environment_it_is_given(spawn: Spawn, log: Path) -> None:
    process.wait(spawn("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))", STACK_BIND="x"), 10)
    assert log.read_text() == "['STACK_BIND']\n"


def test_a_log_that_grew_large_is_put_aside(spawn: Spawn, log: Path) -> None:
    log.parent.mkdir()
    log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    process.wait(spawn("print('new')"), 10)
    assert log.read_text() == "new\n"
    assert log.with_suffix(".log.1").stat().st_size > 10 * 1024 * 1024


def test_a_process_that_ended_is_not_alive(spawn: Spawn) -> None:
    running = spawn("pass")
    assert process.wait(running, 10)
    assert not process.is_alive(running)


def test_a_process_with_the_same_number_but_another_beginning_is_a_stranger(spawn: Spawn) -> None:
    running = spawn("import signal; signal.pause()")
    stranger = Running(running.pid, running.began - 1)
    process.kill(stranger)
    assert not process.is_alive(stranger)
    assert process.is_alive(running)


def test_stop_lets_a_process_end_in_order(spawn: Spawn) -> None:
    assert process.stop(spawn("import signal; signal.pause()"), 10)


def test_stop_kills_a_process_that_does_not_listen(spawn: Spawn, wait_for_line: Callable[[str], None]) -> None:
    running = spawn(STUBBORN)
    wait_for_line("deaf")
    assert not process.stop(running, 0.1)
    assert not process.is_alive(running)


def test_stop_ends_a_paused_process(spawn: Spawn, poll: Callable[[Callable[[], bool]], None]) -> None:
    running = spawn("import signal; signal.pause()")
    process.send(running, signal.SIGSTOP)
    poll(lambda: process.is_paused(running))
    assert process.stop(running, 10)


def test_a_program_that_does_not_exist_is_an_error(log: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        process.spawn(("/nonexistent/program",), {}, log)
