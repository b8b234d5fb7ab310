"""The service under one variant, as a process on a core of its own."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from benchmarks.overhead import machine
from benchmarks.overhead.environments import APPLICATION
from benchmarks.overhead.faults import ServerError
from benchmarks.overhead.variants import Variant
from mita_otel.stack.ports import free_port

_START: Final = 60.0
"""Seconds until the service must answer."""
_STOP: Final = 30.0
"""Seconds it may take to end: exporters flush, some for 10 s."""
_POLL: Final = 0.002
_FOREIGN: Final = ("OTEL_", "MITA_", "DD_", "LOGFIRE_", "ELASTIC_", "SPLUNK_", "PYTHON", "PG", "VIRTUAL_ENV")
"""Beginnings of the variables that telemetry, the interpreter or a database client would read."""
_DEATH_SIGNAL: Final = 1
"""Source: prctl(2), PR_SET_PDEATHSIG."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running service.

    Attributes:
        pid: of its process.
        port: where it answers.
        started: seconds from its start to its first answer.
    """

    pid: int
    port: int
    started: float


@contextmanager
def served(
    variant: Variant, programs: Path, variables: Mapping[str, str], *, core: int, printed: Path
) -> Iterator[Server]:
    """Run the service while the block runs; at its end what it has not delivered yet has been flushed.

    Args:
        variant: how it is started.
        programs: of the variant's environment.
        variables: of its environment, besides those of this process that nothing in it reads.
        core: where it runs.
        printed: a file for what it prints.

    Raises:
        ServerError: it ended, or did not answer within a minute.
    """
    port = free_port()
    with printed.open("wb") as output:
        began = time.perf_counter()
        process = _start(variant, programs, variables, port=port, core=core, output=output)
        try:
            _wait_for_answer(process, port, variant.name, printed)
            yield Server(process.pid, port, time.perf_counter() - began)
            _end(process, variant.name)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(
    variant: Variant, programs: Path, variables: Mapping[str, str], *, port: int, core: int, output: IO[bytes]
) -> subprocess.Popen[bytes]:
    launcher = (str(programs / variant.launcher[0]), *variant.launcher[1:]) if variant.launcher else ()
    server = (str(programs / "uvicorn"), variant.application, "--port", str(port), "--loop", "uvloop")
    with machine.on_core(core):
        return subprocess.Popen(
            (*launcher, *server, "--http", "httptools", "--no-access-log", "--log-level", "warning"),
            cwd=APPLICATION,
            env=_environment(programs, variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - this process has no threads; a launcher would be timed
        )


def _end(process: subprocess.Popen[bytes], name: str) -> None:
    # As Ctrl-C does: after a SIGTERM some distributions would lose their last metrics.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{name} does not end within {_STOP:.0f} s") from error


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _environment(programs: Path, extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, **extra, "PATH": f"{programs}:{kept.get('PATH', os.defpath)}"}


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, name: str, printed: Path) -> None:
    deadline = time.monotonic() + _START
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"{name} does not answer: {printed.read_text(errors='replace')[-3000:]}")
        time.sleep(_POLL)


def _answers(port: int) -> bool:
    """Ask once; it counts as one request to the service if it is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False
