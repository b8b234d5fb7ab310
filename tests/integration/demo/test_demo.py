"""The README's first command: everything up, looked at, and down again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mita_otel.stack.ports import LOOPBACK
from tests.fixtures.polling import eventually
from tests.fixtures.service import PROGRAMS, ROOT, ServiceProcess, clean_environment

# Two demonstrations at once would take each other's well-known ports, which is handled, but not what is tested here.
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(120)]

_DEMO = (str(PROGRAMS / "mita-otel"), "demo")

StartService = Callable[..., ServiceProcess]


def _children(demo: ServiceProcess) -> list[psutil.Process]:
    return psutil.Process(demo.pid).children(recursive=True)


def _all_gone(processes: list[psutil.Process]) -> bool:
    return not [child for child in processes if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def start_demo(start_service: StartService, demo_folder: Path) -> Callable[..., ServiceProcess]:
    """Start the demonstration in a folder of the test's own and wait until it says where to look."""

    def start(*words: str) -> ServiceProcess:
        demo = start_service(["mita-otel", "demo", "--folder", str(demo_folder), *words], {})
        eventually(lambda: "Ctrl-C takes everything down" in demo.stdout, timeout=60)
        return demo

    return start


def test_once_counts_all_three_signals_and_finds_them_linked(demo_folder: Path) -> None:
    ended = subprocess.run(
        [*_DEMO, "--once", "--json", "--seconds", "5", "--seed-data", "--folder", str(demo_folder)],
        env=clean_environment({}), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr + ended.stdout
    report = json.loads(ended.stdout)
    assert report["linked"] is True
    assert min(report["traces"], report["logs"], report["metrics"]) > 0
    assert " transactions" in (demo_folder / "seed.log").read_text()
    assert report["traces"] >= sum(report["sent"].values())


def test_make_demo_says_where_to_look_and_ctrl_c_takes_everything_down(
    start_service: StartService, demo_folder: Path
) -> None:
    demo = start_service(["make", "demo", f"PYTHON={sys.executable}", f"ARGS=--folder {demo_folder}"], {})
    eventually(lambda: "Ctrl-C takes everything down" in demo.stdout, timeout=60)
    told = ("console", "service", "trace", "logs", "metric")
    eventually(lambda: all(f"{what} " in demo.stdout for what in told), timeout=60)
    children = _children(demo)
    next(child for child in children if "demo" in child.cmdline()).send_signal(signal.SIGINT)
    assert demo.wait(30) == 0
    assert _all_gone(children)


def test_a_killed_demonstration_leaves_no_process_and_the_next_one_runs(
    start_demo: Callable[..., ServiceProcess],
) -> None:
    first = start_demo()
    children = _children(first)
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: _all_gone(children), timeout=20)
    second = start_demo()
    second.terminate()
    assert second.wait(30) == 0


def test_taken_ports_are_told_and_others_used(start_demo: Callable[..., ServiceProcess]) -> None:
    with socket.socket() as taken:
        # Whoever holds it, this test or a stranger: the service's standard port is in use.
        with contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((LOOPBACK, 8000))
            taken.listen()
        demo = start_demo()
        assert "port 8000 is taken: the service uses " in demo.stderr


def test_a_home_that_cannot_be_written_to_is_no_obstacle(start_service: StartService, demo_folder: Path) -> None:
    demo = start_service(
        ["make", "demo", f"PYTHON={sys.executable}", f"ARGS=--once --seconds 2 --folder {demo_folder}"],
        {"HOME": "/proc/nothing", "XDG_CACHE_HOME": "/proc/nothing/cache"},
    )
    assert demo.wait(90) == 0, demo.stderr
    assert "linked to its log lines" in demo.stdout


def test_nothing_is_left_outside_the_folder(start_service: StartService, demo_folder: Path, tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    demo = start_service(
        ["mita-otel", "demo", "--once", "--seconds", "2", "--folder", str(demo_folder)],
        {"HOME": str(home), "TMPDIR": str(temporary)},
    )
    assert demo.wait(90) == 0, demo.stderr
    assert (list(home.rglob("*")), list(temporary.rglob("*"))) == ([], [])


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root runs every test here as such a user")
def test_it_runs_for_a_user_who_is_not_root(start_service: StartService, demo_folder: Path) -> None:
    demo_folder.chmod(0o777)
    # Not root, but able to read an interpreter that lies in root's home.
    capability = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *capability]
    words = ["demo", "--once", "--seconds", "2", "--folder", str(demo_folder / "own")]
    demo = start_service([*nobody, str(PROGRAMS / "mita-otel"), *words], {"HOME": "/nonexistent"})
    assert demo.wait(90) == 0, demo.stderr
    assert (demo_folder / "own" / "postgres" / "data").stat().st_uid == 65534
