"""The end of a process: one deadline, every signal, once."""

import signal
import subprocess
import sys
import textwrap
import threading
import time

from mita_otel.lifecycle import Exit


def test_everything_is_closed_in_parallel() -> None:
    together = threading.Barrier(3, timeout=5)
    leaving = Exit([(name, lambda _: together.wait()) for name in ("traces", "metrics", "logs")], timeout=5)
    assert leaving.close()


def test_one_that_hangs_costs_the_deadline_and_no_more() -> None:
    release = threading.Event()
    closed: list[str] = []
    leaving = Exit([("hangs", lambda _: release.wait(30)), ("closes", lambda _: closed.append("yes"))], timeout=0.3)
    started = time.monotonic()
    assert not leaving.close()
    assert time.monotonic() - started < 3
    assert closed == ["yes"]
    release.set()


def test_a_second_close_does_nothing() -> None:
    closed: list[float] = []
    leaving = Exit([("traces", closed.append)], timeout=1)
    leaving.close()
    leaving.close()
    assert closed == [1]


def test_one_that_fails_does_not_keep_the_others_waiting() -> None:
    def fail(_: float) -> None:
        raise RuntimeError("broken")

    assert Exit([("traces", fail), ("logs", lambda _: None)], timeout=5).close()


def _run(body: str) -> subprocess.CompletedProcess[str]:
    program = "from mita_otel.lifecycle import Exit\nimport os, signal, sys, time\n" + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)


def test_sigterm_closes_and_keeps_the_exit_status() -> None:
    ended = _run("""
        Exit([("traces", lambda _: print("closed", flush=True))], timeout=5).register()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    """)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "closed\n")


def test_a_handler_of_the_application_is_left_alone() -> None:
    ended = _run("""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        Exit([("traces", lambda _: print("closed", flush=True))], timeout=5).register()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    """)
    assert (ended.returncode, ended.stdout) == (7, "closed\n")


def test_an_ordinary_exit_closes_without_starting_threads() -> None:
    ended = _run('Exit([("traces", lambda _: print("closed", flush=True))], timeout=5).register()')
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "closed\n", "")


def test_a_signal_that_comes_while_the_interpreter_exits_waits_for_what_is_being_closed() -> None:
    ended = _run("""
        def close(_):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
            print("closed", flush=True)
        Exit([("traces", close)], timeout=5).register()
    """)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "closed\n")


def test_a_forked_child_closes_for_itself() -> None:
    ended = _run("""
        Exit([("traces", lambda _: print("closed", os.getpid() == parent, flush=True))], timeout=5).register()
        parent = os.getpid()
        if child := os.fork():
            os.waitpid(child, 0)
    """)
    assert ended.stdout.splitlines() == ["closed False", "closed True"]


def test_signals_are_only_guarded_from_the_main_thread() -> None:
    leaving = Exit([], timeout=1)
    thread = threading.Thread(target=leaving.guard_signals)
    before = signal.getsignal(signal.SIGTERM)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
