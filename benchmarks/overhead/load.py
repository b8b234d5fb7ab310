"""Load from one thread over raw sockets: as much as the server takes, or at a fixed rate."""

import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.overhead.faults import LoadError

_PATIENCE: Final = 20.0
"""Seconds without any answer until the server counts as stuck."""
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_SUCCESS: Final = b"HTTP/1.1 200 "


@dataclass(frozen=True, slots=True)
class Load:
    """So many requests were answered within so many seconds."""

    requests: int
    seconds: float


class _Connection:
    """One kept connection with at most one request on the way.

    Attributes:
        due: when the request on the way should have been sent, of `time.perf_counter`.
    """

    __slots__ = ("_buffer", "_request", "_socket", "due")

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: load/1.0\r\nAccept: application/json\r\n"
            "Accept-Encoding: identity\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"
        ).encode()
        self._buffer = b""
        self.due = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def ask(self) -> None:
        self._socket.sendall(self._request)

    def read(self) -> bool:
        """Read what is there, and say whether the answer is complete.

        Raises:
            LoadError: the server closed the connection, or refused.
        """
        part = self._socket.recv(65_536)
        if not part:
            raise LoadError("the server closed a connection")
        buffer = self._buffer + part
        end = buffer.find(_HEAD_END)
        if end < 0 or len(buffer) < end + len(_HEAD_END) + _length(buffer[:end]):
            self._buffer = buffer
            return False
        if not buffer.startswith(_SUCCESS):
            raise LoadError(f"the server answered {buffer[:300].decode(errors='replace')!r}")
        self._buffer = b""
        return True


def _length(head: bytes) -> int:
    place = head.lower().find(_LENGTH)
    if place < 0:
        raise LoadError("the server did not say how long its answer is")
    return int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])


@contextmanager
def _connected(port: int, path: str, number: int) -> Iterator[list[_Connection]]:
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_closing(_Connection(port, path))) for _ in range(number)]
    except OSError as error:
        raise LoadError(f"the server cannot be reached: {error}") from error


@contextmanager
def _closing(connection: _Connection) -> Iterator[_Connection]:
    try:
        yield connection
    finally:
        connection.close()


def _ready(asked: Sequence[_Connection], timeout: float) -> list[_Connection]:
    # Not epoll, whose time-outs are whole milliseconds.
    return select.select(asked, (), (), max(timeout, 0.0))[0]


def _ready_awake(asked: Sequence[_Connection], timeout: float) -> list[_Connection]:
    deadline = time.monotonic() + timeout
    while not (ready := _ready(asked, 0.0)) and time.monotonic() < deadline:
        pass
    return ready


def saturate(
    port: int,
    path: str,
    *,
    connections: int,
    seconds: float = float("inf"),
    requests: float = float("inf"),
    awake: bool = False,
) -> Load:
    """Keep each connection asking for so many seconds or requests, whichever ends first; every answer is awaited.

    Args:
        port: of the server on this machine.
        path: of the request.
        connections: that ask at once.
        seconds: after which no more is asked.
        requests: after which no more is asked.
        awake: whether the load looks for answers all the time, and does not sleep until one comes. To wake it on
            another core is the work of who sends the answer: in a virtual machine 20 us of a request, and more the
            longer it slept. Only where nobody else needs its core.

    Raises:
        LoadError: an answer was no success, or nothing was answered for 20 s.
    """
    with _connected(port, path, int(min(connections, requests))) as opened:
        asked = opened
        wait = _ready_awake if awake else _ready
        started = time.perf_counter()
        for connection in asked:
            connection.ask()
        answered, begun = 0, len(asked)
        while asked:
            ready = wait(asked, _PATIENCE)
            if not ready:
                raise LoadError(f"nothing was answered for {_PATIENCE:.0f} s")
            for connection in ready:
                if not connection.read():
                    continue
                answered += 1
                if begun < requests and time.perf_counter() - started < seconds:
                    begun += 1
                    connection.ask()
                else:
                    # Closed at the end of the block: the server has enough to do.
                    asked = [other for other in asked if other is not connection]
        return Load(answered, time.perf_counter() - started)


def pace(port: int, path: str, *, rate: float, seconds: float, connections: int = 32) -> list[float]:
    """Ask at a fixed rate, whatever the server does; return the seconds from when each request was due to its answer.

    A request that finds no connection free is late from the start: waiting for a slow server counts as its slowness.

    Raises:
        LoadError: an answer was no success, or nothing was answered for 20 s.
    """
    latencies: list[float] = []
    with _connected(port, path, connections) as free:
        asked: list[_Connection] = []
        started = time.perf_counter()
        due = deque(started + number / rate for number in range(int(rate * seconds)))
        last = started
        while due or asked:
            now = time.perf_counter()
            while due and due[0] <= now and free:
                connection = free.pop()
                connection.due = due.popleft()
                connection.ask()
                asked.append(connection)
            if asked and now - last > _PATIENCE:
                raise LoadError(f"nothing was answered for {_PATIENCE:.0f} s")
            wait = due[0] - time.perf_counter() if due and free else _PATIENCE
            for connection in _ready(asked, wait):
                if connection.read():
                    last = time.perf_counter()
                    latencies.append(last - connection.due)
                    asked.remove(connection)
                    free.append(connection)
    return latencies
