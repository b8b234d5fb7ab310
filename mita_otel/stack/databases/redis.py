"""A Redis server, or a Valkey server in its place."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mita_otel.stack.databases.programs import find_redis
from mita_otel.stack.databases.server import Plan, Server, end_leftovers, only_user, serve
from mita_otel.stack.ports import LOOPBACK


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
    with only_user(folder):
        end_leftovers(folder, "redis-server", "valkey-server")

        def plan(number: int) -> Plan:
            options = {
                "port": str(number),
                "bind": LOOPBACK,
                "dir": str(folder),
                "save": "300 1",
                "stop-writes-on-bgsave-error": "no",
            }
            return Plan(
                name="Redis",
                command=(str(program), *(word for name, value in options.items() for word in (f"--{name}", value))),
                folder=folder,
                log=folder / "log",
                account=None,
                end=signal.SIGTERM,
                orphaned=signal.SIGTERM,
                is_ready=lambda pid: _is_ready(number, pid),
            )

        yield from serve(plan, f"redis://{LOOPBACK}:{{port}}/0", folder, port)


def _is_ready(port: int, pid: int) -> bool:
    """Ask whether it serves and whether it is our process, not one that was faster to take the port."""
    answer = b""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
        connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
        while part := connection.recv(65_536):
            answer += part
    # While it loads saved data, it refuses a PING.
    return answer.startswith(b"+PONG") and f"\r\nprocess_id:{pid}\r\n".encode() in answer
