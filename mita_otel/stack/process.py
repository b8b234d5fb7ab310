"""One child process that outlives its parent: started, recognised again, paused, stopped, killed."""

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_POLL: Final = 0.02
"""Seconds between two looks at a process that should end."""
_LOG_LIMIT: Final = 10 * 1024 * 1024
"""Bytes after which a log is put aside at the next start; one older log is kept."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process's identity: its number, and when it began in clock ticks since the machine did.

    The number alone is reused; a state file that survived its processes must not make us signal a stranger.
    """

    pid: int
    began: int


def spawn(command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> Running:
    """Start a program in a session of its own, its output appended to a log.

    Raises:
        OSError: the program cannot be run.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    pid = os.posix_spawn(
        command[0],
        command,
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM],
        setsigmask=[],
    )
    return identify(pid)


def identify(pid: int) -> Running:
    """Return the identity of a process that runs now."""
    return Running(pid, _stat(pid)[1])


def _stat(pid: int) -> tuple[str, int]:
    """Return the state letter and the beginning of a process; `("", 0)` if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", 0
    # The name, in parentheses, may hold spaces and parentheses of its own. Source: proc(5), fields 3 and 22.
    rest = text[text.rindex(")") + 2 :].split()
    return rest[0], int(rest[19])


def is_alive(running: Running) -> bool:
    """Say whether this very process still runs; reap it if it was our child and has ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(running.pid, os.WNOHANG)
    letter, began = _stat(running.pid)
    return letter not in {"", "Z", "X"} and began == running.began


def is_paused(running: Running) -> bool:
    """Say whether the process is stopped by a signal."""
    letter, began = _stat(running.pid)
    return letter in {"T", "t"} and began == running.began


def send(running: Running, number: signal.Signals) -> None:
    """Send a signal, unless the process is gone."""
    if is_alive(running):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)


def wait(running: Running, timeout: float) -> bool:
    """Wait until the process is gone; return whether it went within the timeout in seconds."""
    deadline = time.monotonic() + timeout
    while is_alive(running):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def stop(running: Running, grace: float) -> bool:
    """Ask the process to end, and kill it after `grace` seconds; return whether it ended by itself."""
    send(running, signal.SIGTERM)
    send(running, signal.SIGCONT)  # a paused process takes no other signal
    if wait(running, grace):
        return True
    kill(running)
    return False


def kill(running: Running) -> None:
    """Kill the process and wait until it is gone."""
    send(running, signal.SIGKILL)
    wait(running, 5)
