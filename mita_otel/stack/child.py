"""A child process that gets a signal when its parent dies, however the parent dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_LAUNCHER: Final = """
import ctypes, os, sys
parent, number, user, group = map(int, sys.argv[1:5])
if user >= 0:
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, number)
if os.getppid() != parent:
    sys.exit("the process that starts this one has gone")
os.execv(sys.argv[5], sys.argv[5:])
"""
"""Becomes the program, which then gets a signal when its parent dies.

A process of its own rather than `preexec_fn`, which may deadlock in a parent with threads. The signal is asked for
after the change of user, which would clear it, and the parent is looked at after that, as it may have died before.
Source: prctl(2), PR_SET_PDEATHSIG. It is the thread that called `launch` whose end counts as the parent's: launch from
a thread that lives as long as the child should. On other systems than Linux a killed parent leaves the child running.
"""


def launch(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    orphaned: signal.Signals,
    user: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program whose output is appended to a log.

    Args:
        command: its first word is a path.
        folder: where it works.
        log: the file.
        environment: all of its variables.
        orphaned: what it gets when this process dies.
        user: numbers of the user and the group to run as; this process's by default.

    Raises:
        OSError: the log cannot be written.
    """
    words = (os.getpid(), int(orphaned), *(user or (-1, -1)))
    with log.open("ab") as output:
        return subprocess.Popen(
            # Isolated and without site-packages: it starts in some 10 ms and no one's start-up hook runs in it.
            (sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, words), *command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Keeps the terminal's Ctrl-C from it; not a session of its own, as the kernel continues a paused process
            # whose group its parent's death leaves orphaned, and only then it can take its last signal.
            process_group=0,
        )
