"""A PostgreSQL server with data of its own."""

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mita_otel.stack.databases.account import Account, account_for
from mita_otel.stack.databases.programs import find_postgres
from mita_otel.stack.databases.server import (
    START_TIMEOUT,
    Plan,
    Server,
    end_leftovers,
    launched,
    only_user,
    serve,
    tail,
)
from mita_otel.stack.model import StackError
from mita_otel.stack.ports import LOOPBACK

_SOCKET_PATH_LIMIT: Final = 107
"""Characters of the path of a Unix socket. Source: unix(7), sun_path less its terminating zero."""
_USER: Final = "mita"
_POSTGRES_SETTINGS: Final[Mapping[str, str]] = {
    # Nothing here has to survive a power cut. A crash of the server alone loses nothing: the kernel has the pages.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "logging_collector": "off",
}


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
    with only_user(folder):
        account = account_for(folder)
        data = folder / "data"
        end_leftovers(data, "postgres")
        programs = _within_reach(_choose(data, programs), folder, account)
        password = _password_of(folder / "password", account)
        _initialise(data, programs, folder / "password", account)
        _forget_sockets(folder)

        def plan(number: int) -> Plan:
            options = {**_POSTGRES_SETTINGS, **_listening(folder, number), **(settings or {})}
            return Plan(
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
                is_ready=lambda pid: _is_ready(data, pid),
            )

        yield from serve(plan, f"postgresql://{_USER}:{password}@{LOOPBACK}:{{port}}/postgres", folder, port)


def _is_ready(data: Path, pid: int) -> bool:
    """Look where `pg_ctl --wait` looks. Source: PostgreSQL, src/include/utils/pidfile.h, lines 1 and 8."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - line 8 is status


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


def _within_reach(programs: Path, folder: Path, account: Account | None) -> Path:
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


def _password_of(path: Path, account: Account | None) -> str:
    """Return the password of the data in the folder; make one up if there is none."""
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(16))
        if account:
            os.chown(draft, account.user, account.group)
        draft.rename(path)
    return path.read_text()


def _initialise(data: Path, programs: Path, password: Path, account: Account | None) -> None:
    """Make the data folder unless there is one; in a draft, so that a crash leaves no half of it.

    Raises:
        StackError: initdb failed.
    """
    if data.exists():
        return
    draft = data.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    plan = Plan(
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
    process = launched(plan)
    try:
        status = process.wait(START_TIMEOUT)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if status:
        raise StackError(f"initdb ended with status {status}: {tail(plan.log)}")
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
