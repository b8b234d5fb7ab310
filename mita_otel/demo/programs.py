"""The demonstration's own programs as child processes: started, awaited, ended with the block."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mita_otel.demo.folder import DemoError, remember
from mita_otel.settings import environment
from mita_otel.stack import process
from mita_otel.stack.child import launch
from mita_otel.stack.readiness import wait_until_ready

START_TIMEOUT: Final = 60.0
"""Seconds: a first start migrates the database and compiles byte code."""
STOP_TIMEOUT: Final = 15.0
"""Seconds: the service's own deadline for delivery is 5."""
_FOREIGN: Final = ("OTEL_", "MITA_", "DATABASE_URL", "REDIS_URL", "JWT_SECRET")
"""Beginnings of variables of the user's own services, which the demonstration must not touch."""
_TAIL: Final = 1500
"""Characters of its log that a program's failure is explained with."""


@dataclass(slots=True)
class Programs:
    """Starts programs in one folder.

    Args:
        folder: for logs and the list of what runs.
        root: where the programs work: the checkout that holds `app`.
    """

    folder: Path
    root: Path
    _children: list[process.Running] = field(default_factory=list)

    @contextmanager
    def started(self, name: str, command: Sequence[str], variables: Mapping[str, str]) -> Iterator["Program"]:
        """Run a program while the block runs; at its end it is asked to end, and killed after 15 s."""
        kept = {key: value for key, value in environment().items() if not key.startswith(_FOREIGN)}
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        child = launch(
            command,
            folder=self.root,
            log=log,
            environment={**kept, "PYTHONPATH": str(self.root), **variables},
            orphaned=signal.SIGTERM,
        )
        running = process.identify(child.pid)
        self._children.append(running)
        remember(self.folder, self._children)
        try:
            yield Program(name, child, log)
        finally:
            _end(child)
            self._children.remove(running)
            remember(self.folder, self._children)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was started, and the file with what it says."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    def wait_until_it_answers(self, url: str) -> None:
        """Wait for an answer that is not a server's error.

        Raises:
            DemoError: it ended, or did not answer within 60 s; the message holds the end of its log.
        """
        deadline = time.monotonic() + START_TIMEOUT
        if not wait_until_ready(url, deadline, lambda: self.child.poll() is None):
            status = self.child.poll()
            what = f"ended with status {status}" if status is not None else f"does not answer at {url}"
            raise DemoError(f"{self.name} {what}; {self.log} ends with:\n{_tail(self.log)}")

    def wait_until_it_is_done(self) -> None:
        """Wait for the end of a program that does one thing.

        Raises:
            DemoError: it failed, or was not done within 60 s; the message holds the end of its log.
        """
        try:
            status = self.child.wait(START_TIMEOUT)
        except subprocess.TimeoutExpired:
            status = None
        if status != 0:
            what = "is not done" if status is None else f"ended with status {status}"
            raise DemoError(f"{self.name} {what}; {self.log} ends with:\n{_tail(self.log)}")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-_TAIL:].strip()
