"""The demonstration's folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mita_otel.demo import DemoError, choose_folder, only_demo
from mita_otel.demo.folder import remember
from mita_otel.stack import process


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not."""
    with choose_folder(None, Path("/proc/nothing")) as folder:
        yield folder


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        yield child
        child.kill()


def test_the_preferred_folder_is_used_and_kept(reachable: Path) -> None:
    with choose_folder(None, reachable / "demo") as folder:
        assert folder == reachable / "demo"
    assert folder.is_dir()


def test_a_temporary_folder_takes_the_place_of_one_that_cannot_be_written_to() -> None:
    with choose_folder(None, Path("/proc/nothing/demo")) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_a_given_folder_that_cannot_be_written_to_is_refused() -> None:
    with (
        pytest.raises(DemoError, match=r"--folder /proc/nothing: cannot be written to .*; name another"),
        choose_folder(Path("/proc/nothing"), Path("/tmp")),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as somebody else")
def test_a_given_folder_that_postgresql_cannot_reach_is_refused(reachable: Path) -> None:
    closed = reachable / "closed"
    closed.mkdir(mode=0o700)
    with (
        pytest.raises(DemoError, match="PostgreSQL, which does not run as root, cannot reach it"),
        choose_folder(closed / "demo", closed),
    ):
        pass


def test_a_second_demonstration_is_told_who_is_there(reachable: Path) -> None:
    with (
        only_demo(reachable),
        pytest.raises(DemoError, match=rf"as process {os.getpid()}: end it with Ctrl-C"),
        only_demo(reachable),
    ):
        pass


def test_what_a_killed_run_left_running_is_ended(reachable: Path, sleeper: subprocess.Popen[bytes]) -> None:
    running = process.identify(sleeper.pid)
    remember(reachable, [running])
    with only_demo(reachable):
        assert not process.is_alive(running)


def test_a_stranger_with_the_number_of_an_ended_process_is_left_alone(
    reachable: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    remember(reachable, [process.Running(sleeper.pid, began=1)])
    with only_demo(reachable):
        pass
    assert sleeper.poll() is None


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"pid": 1}]', "null"])
def test_a_list_of_processes_that_cannot_be_read_is_no_obstacle(reachable: Path, content: str) -> None:
    (reachable / "processes.json").write_text(content)
    with only_demo(reachable):
        pass
