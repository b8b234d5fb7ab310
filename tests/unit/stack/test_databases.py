"""A PostgreSQL and a Redis of our own: they start anywhere, survive what tests do to them, and leave nothing behind."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from mita_otel.stack import databases
from mita_otel.stack.databases import Server, find_postgres, find_redis, postgres_server, redis_server
from mita_otel.stack.databases.account import Account, account_for
from mita_otel.stack.model import StackError
from tests.fixtures.polling import eventually

Kind = Callable[[Path], AbstractContextManager[Server]]

both = pytest.mark.parametrize("kind", [postgres_server, redis_server])

ORPHAN = """
import dataclasses, pathlib, sys, time
from mita_otel.stack import databases
from mita_otel.stack.databases import server as servers
if sys.argv[3] == "immortal":
    launch = servers.launched
    servers.launched = lambda plan: launch(dataclasses.replace(plan, orphaned=0))
with getattr(databases, sys.argv[1])(pathlib.Path(sys.argv[2])) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any user can reach, as pytest's own are closed to PostgreSQL's user."""
    path = Path(tempfile.mkdtemp(prefix="databases-"))
    yield path
    shutil.rmtree(path)


def answers(server: Server) -> bool:
    """Say whether the server answers a new client within half a second."""
    # A start-up packet and a command: a server that serves answers whichever of them it understands.
    body = (196_608).to_bytes(4, "big") + b"user\0mita\0\0"
    request = (len(body) + 4).to_bytes(4, "big") + body if server.url.startswith("postgresql") else b"PING\r\n"
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=0.5) as connection:
        connection.sendall(request)
        return connection.recv(1) in {b"R", b"+"}
    return False


def abandoned(kind: Kind, folder: Path, how: str) -> psutil.Process:
    """Return a server whose starter was killed."""
    command = (sys.executable, "-c", ORPHAN, kind.__name__, str(folder), how)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    return server


def living(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if works_below(process, folder)]


def works_below(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.is_running() and Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


@pytest.mark.parametrize("programs", find_postgres(), ids=str)
async def test_every_postgresql_found_serves_its_url(folder: Path, programs: Path) -> None:
    with postgres_server(folder, programs=programs) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SELECT 40 + 2") == 42
        await connection.close()


def test_the_redis_found_serves_its_url(folder: Path) -> None:
    with redis_server(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()


async def test_postgresql_wants_the_password(folder: Path) -> None:
    with postgres_server(folder) as server, pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url, password="wrong")


async def test_postgresql_takes_additional_settings(folder: Path) -> None:
    with postgres_server(folder, settings={"track_io_timing": "on"}) as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SHOW track_io_timing") == "on"
        await connection.close()


@both
def test_a_server_listens_on_the_port_it_was_given(folder: Path, free_port: int, kind: Callable[..., object]) -> None:
    with kind(folder, port=free_port) as server:  # type: ignore[attr-defined] # either of two functions
        assert (server.port, answers(server)) == (free_port, True)


async def test_postgresql_keeps_its_data_and_password_for_the_next_run(folder: Path) -> None:
    with postgres_server(folder) as server:
        connection = await asyncpg.connect(server.url)
        await connection.execute("CREATE TABLE kept AS SELECT 1")
        await connection.close()
    with postgres_server(folder, port=server.port) as again:
        assert again.url == server.url
        connection = await asyncpg.connect(again.url)
        assert await connection.fetchval("SELECT count(*) FROM kept") == 1
        await connection.close()


def test_redis_keeps_its_data_for_the_next_run(folder: Path) -> None:
    with redis_server(folder) as server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
    with redis_server(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


@both
def test_nothing_runs_after_the_block(folder: Path, kind: Kind) -> None:
    with kind(folder):
        assert living(folder)
    assert not living(folder)


@both
def test_a_paused_server_answers_nobody_until_it_is_resumed(folder: Path, kind: Kind) -> None:
    with kind(folder) as server:
        server.pause()
        assert not answers(server)
        server.resume()
        assert answers(server)


@both
def test_a_paused_server_ends_with_its_block(folder: Path, kind: Kind) -> None:
    with kind(folder) as server:
        server.pause()
    assert not living(folder)


@both
def test_a_killed_server_starts_again_at_the_same_place(folder: Path, kind: Kind) -> None:
    with kind(folder) as server:
        server.kill()
        assert (server.is_running, answers(server), living(folder)) == (False, False, [])
        server.start()
        assert answers(server)


@both
def test_a_stopped_server_starts_again_at_the_same_place(folder: Path, kind: Kind) -> None:
    with kind(folder) as server:
        server.stop()
        assert not answers(server)
        server.start()
        assert answers(server)


@both
def test_a_server_dies_with_a_starter_that_is_killed(folder: Path, kind: Kind) -> None:
    abandoned(kind, folder, "mortal")
    eventually(lambda: not living(folder))


@both
def test_a_server_left_running_by_an_earlier_run_makes_way(folder: Path, kind: Kind) -> None:
    earlier = abandoned(kind, folder, "immortal")
    with kind(folder) as server:
        assert (earlier.is_running() and earlier.status() != psutil.STATUS_ZOMBIE, answers(server)) == (False, True)


def test_a_number_in_a_stale_pid_file_that_is_a_strangers_now_harms_nobody(folder: Path) -> None:
    with postgres_server(folder):
        pass
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}/data\n")
    with postgres_server(folder) as server:
        assert answers(server)


def test_the_half_of_a_data_folder_that_a_crash_left_is_made_anew(folder: Path) -> None:
    (folder / "data.new" / "base").mkdir(parents=True)
    with postgres_server(folder) as server:
        assert answers(server)


@both
def test_two_runs_do_not_share_a_folder(folder: Path, kind: Kind) -> None:
    with kind(folder), pytest.raises(StackError, match="is in use"), kind(folder):
        pass


def test_a_server_that_ends_at_once_says_what_it_printed(folder: Path) -> None:
    with pytest.raises(StackError, match="no_such_setting"), postgres_server(folder, settings={"no_such_setting": "1"}):
        pass
    assert not living(folder)


@both
def test_a_server_that_never_answers_is_ended(folder: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases.postgresql, "_is_ready", lambda *_: False)
    monkeypatch.setattr(databases.redis, "_is_ready", lambda *_: False)
    with postgres_server_initialised(folder):
        monkeypatch.setattr(databases.server, "START_TIMEOUT", 0.3)
        with pytest.raises(StackError, match="does not answer"), kind(folder):
            pass
    assert not living(folder)


@contextlib.contextmanager
def postgres_server_initialised(folder: Path) -> Iterator[None]:
    """Have the data folder made before the time to start is cut short."""
    account = account_for(folder)
    password = folder / "password"
    databases.postgresql._password_of(password, account)
    databases.postgresql._initialise(folder / "data", find_postgres()[0], password, account)
    yield


@both
def test_a_given_port_that_is_taken_is_an_error(folder: Path, kind: Callable[..., object]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(StackError),
        kind(folder, port=other.getsockname()[1]),  # type: ignore[attr-defined] # either of two functions
    ):
        pass


@both
def test_a_port_that_somebody_was_faster_to_take_is_replaced(
    folder: Path, free_port: int, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        numbers = iter((other.getsockname()[1], free_port))
        monkeypatch.setattr(databases.server, "free_port", lambda: next(numbers))
        with kind(folder) as server:
            assert server.port == free_port


@pytest.mark.parametrize("find", [find_postgres, find_redis])
def test_a_machine_without_servers_is_told_what_to_install(
    find: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(databases.programs, "_POSTGRES_ROOT", tmp_path)
    monkeypatch.setattr(databases.programs, "_wheel", lambda _: None)
    with pytest.raises(StackError, match=r"apt-get install .*pip install \"mita-otel\[embedded\]\""):
        find()


def test_the_wheels_serve_where_the_system_has_no_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(databases.programs, "_POSTGRES_ROOT", tmp_path)
    assert (find_postgres()[0].parent.name, find_redis().name) == ("pginstall", "valkey-server")


def test_the_newest_installed_postgresql_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (tmp_path / version / "bin" / name).touch()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(databases.programs, "_POSTGRES_ROOT", tmp_path)
    monkeypatch.setattr(databases.programs, "_wheel", lambda _: None)
    assert [place.parent.name for place in find_postgres()] == ["17", "15", "9.6"]


def test_data_of_a_version_that_is_not_installed_are_not_touched(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("8\n")
    with pytest.raises(StackError, match="PostgreSQL 8"), postgres_server(folder):
        pass


def test_programs_out_of_the_accounts_reach_are_copied(tmp_path: Path) -> None:
    programs = tmp_path / "closed" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("program")
    (tmp_path / "closed").chmod(0o700)
    stranger = Account("stranger", 54_321, 54_321)
    copy = databases.postgresql._within_reach(programs, tmp_path, stranger)
    assert (copy, (copy / "postgres").read_text()) == (tmp_path / "programs" / "bin", "program")


def test_programs_within_the_accounts_reach_are_used_where_they_are(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "postgres").write_text("program")
    (folder / "postgres").chmod(0o755)
    assert databases.postgresql._within_reach(folder, folder, Account("stranger", 54_321, 54_321)) == folder


def test_a_folder_below_a_closed_one_is_out_of_the_accounts_reach(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    owner = tmp_path.stat()
    stranger, its_own = Account("stranger", 54_321, 54_321), Account("o", owner.st_uid, 54_321)
    closed = tmp_path / "closed" / "data"
    assert (stranger.reaches(closed), its_own.reaches(closed)) == (False, True)


def test_a_folder_whose_path_is_too_long_for_a_unix_socket_has_none() -> None:
    assert databases.postgresql._listening(Path("/" + "x" * 100), 20_000)["unix_socket_directories"] == ""
    assert databases.postgresql._listening(Path("/short"), 20_000)["unix_socket_directories"] == "/short"


@both
def test_a_signal_to_our_group_does_not_reach_the_server(folder: Path, kind: Kind) -> None:
    with kind(folder) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)


def test_a_server_tells_the_url_of_another_of_its_databases(folder: Path) -> None:
    with redis_server(folder) as server:
        assert server.url_of("7") == f"redis://127.0.0.1:{server.port}/7"
