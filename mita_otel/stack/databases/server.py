"""A server as a child process: started, disturbed and ended in every way."""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from mita_otel.stack.child import launch
from mita_otel.stack.databases.account import Account
from mita_otel.stack.model import StackError
from mita_otel.stack.ports import free_port, port_is_free

START_TIMEOUT: Final = 30.0
"""Seconds until a server must answer: 1 s is usual, a busy machine that has to recover a crash takes longer."""
_STOP_TIMEOUT: Final = 10.0
"""Seconds until a server that was asked to end is killed: a fast shutdown writes one checkpoint."""
_POLL: Final = 0.01
"""Seconds between two looks at a server that starts."""
_ATTEMPTS: Final = 5
"""Ports to try, as between our look at a port and the server's own bind somebody else may take it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run one server."""

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    account: Account | None
    end: signal.Signals
    orphaned: signal.Signals
    is_ready: Callable[[int], bool]


@dataclass(slots=True)
class Server:
    """A running server and the means to disturb it.

    Attributes:
        url: where clients connect, with user and password if it wants them.
        port: its TCP port on the loopback interface; it stays the same over `stop` and `start`.
        folder: what it leaves on disk; `log` in there is what it printed.
    """

    url: str
    port: int
    folder: Path
    _plan: Plan = field(repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The server's process number; that of its last process while it is down."""
        return self._process.pid if self._process else -1

    @property
    def is_running(self) -> bool:
        """Whether the process exists; a paused one does."""
        return self._process is not None and self._process.poll() is None

    def url_of(self, database: str) -> str:
        """Return the URL of another database of this server: a name of PostgreSQL's, a number of Redis's."""
        return f"{self.url.rpartition('/')[0]}/{database}"

    def start(self) -> None:
        """Start the server on its port and wait until it answers; nothing happens if it runs.

        Raises:
            StackError: it ended at once, or did not answer within 30 s.
        """
        if self.is_running:
            return
        self._process = launched(self._plan)
        try:
            _wait_until_ready(self._process, self._plan)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server in order: clients are cut off, data is on disk; after 10 s it is killed."""
        if self._process is None:
            return
        self._process.send_signal(self._plan.end)
        self.resume()  # a paused process takes no other signal
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server and its own children at once, as a crash does."""
        if self._process is None:
            return
        family = self._family()
        _signal(family, signal.SIGKILL)
        self._process.wait(_STOP_TIMEOUT)
        _wait_until_ended(family[1:])

    def pause(self) -> None:
        """Stop the server and its own children from running: connections stay open and nothing is answered."""
        _signal(self._family(), signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        _signal(self._family(), signal.SIGCONT)

    def _family(self) -> list[psutil.Process]:
        """Return the server and its descendants, the server first, so that it starts no others meanwhile."""
        if not self.is_running:
            return []
        try:
            server = psutil.Process(self.pid)
            return [server, *server.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def serve(plan: Callable[[int], Plan], url: str, folder: Path, port: int | None) -> Iterator[Server]:
    """Start the server, hand it out, and take it down whatever happens."""
    server = _started(plan, url, folder, port)
    try:
        yield server
    finally:
        server.stop()


def _started(plan: Callable[[int], Plan], url: str, folder: Path, port: int | None) -> Server:
    """Start on the given port, or on free ones until no other process was faster."""
    for attempt in range(1, _ATTEMPTS + 1):
        number = port or free_port()
        server = Server(url.format(port=number), number, folder, plan(number))
        try:
            server.start()
        except StackError:
            if port or attempt == _ATTEMPTS or port_is_free(number):
                raise
        else:
            return server
    raise AssertionError  # the loop returns or raises


def launched(plan: Plan) -> subprocess.Popen[bytes]:
    """Start what a plan says; it ends with this process."""
    account = plan.account
    return launch(
        plan.command,
        folder=plan.folder,
        log=plan.log,
        environment=_environment(plan.folder),
        orphaned=plan.orphaned,
        user=(account.user, account.group) if account else None,
    )


def _environment(home: Path) -> dict[str, str]:
    """Return what a server needs: nothing of ours, such as PG* and LD_* variables, shall change it."""
    return {"HOME": str(home), "LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


def _wait_until_ready(process: subprocess.Popen[bytes], plan: Plan) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not plan.is_ready(process.pid):
        if process.poll() is not None:
            raise StackError(f"{plan.name} ended with status {process.returncode} at once: {tail(plan.log)}")
        if time.monotonic() > deadline:
            raise StackError(f"{plan.name} does not answer after {START_TIMEOUT:.0f} s: {tail(plan.log)}")
        time.sleep(_POLL)


def tail(log: Path) -> str:
    """Return the end of what a server has printed."""
    return log.read_text(errors="replace")[-2000:].strip()


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _wait_until_ended(processes: Sequence[psutil.Process]) -> None:
    """Wait for those that are not our children: whoever adopts them may collect them seconds after they have ended."""
    deadline = time.monotonic() + _STOP_TIMEOUT
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def only_user(folder: Path) -> Iterator[None]:
    """Keep others out of the folder, so that a server found there is one whose starter has died."""
    with (folder / "lock").open("a") as handle:
        try:
            # The kernel frees it when this process ends, however it ends; the server does not inherit it.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(f"{folder} is in use: stop what uses it, or choose another folder") from error
        yield


def end_leftovers(folder: Path, *names: str) -> None:
    """Kill what an earlier run left behind; both servers work in their data folder, which tells them from others'."""
    found = [process for process in psutil.process_iter() if _works_in(process, folder, names)]
    _signal(found, signal.SIGKILL)
    _wait_until_ended(found)
    # Its process number may be a stranger's by now, who would keep the new server from starting.
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path, names: tuple[str, ...]) -> bool:
    try:
        return process.name() in names and Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return False
