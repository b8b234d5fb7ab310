"""The load against a real server whose answers and pace are known."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.overhead.faults import LoadError
from benchmarks.overhead.load import pace, saturate

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class _Server:
    """Answers each request of each connection, one connection a thread."""

    def __init__(self, answer: Callable[[int], bytes]) -> None:
        self.asked = 0
        self.connections = 0
        self._answer = answer
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that waits for a connection, which closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # The client may leave in the middle of an answer.
        with connection, contextlib.suppress(OSError):
            while request := connection.recv(65_536):
                assert request.endswith(b"\r\n\r\n")
                with self._lock:
                    self.asked += 1
                    number = self.asked
                answer = self._answer(number)
                if not answer:
                    return
                # In two parts, as a network might bring it.
                for part in (answer[:20], answer[20:]):
                    connection.sendall(part)


@contextmanager
def _serving(answer: Callable[[int], bytes] = lambda _: _ANSWER) -> Iterator[_Server]:
    server = _Server(answer)
    try:
        yield server
    finally:
        server.close()


def test_a_limit_of_requests_is_kept_exactly() -> None:
    with _serving() as server:
        load = saturate(server.port, "/", connections=3, requests=50)
        assert (load.requests, server.asked, server.connections) == (50, 50, 3)


def test_fewer_requests_than_connections_open_fewer() -> None:
    with _serving() as server:
        assert saturate(server.port, "/", connections=8, requests=2).requests == 2
        assert server.connections == 2


@pytest.mark.parametrize("awake", [True, False])
def test_every_request_that_was_sent_in_time_is_awaited(*, awake: bool) -> None:
    with _serving() as server:
        load = saturate(server.port, "/", connections=2, seconds=0.2, awake=awake)
        assert load.requests == server.asked > 2
        assert load.seconds >= 0.2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", "500 Internal"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", "how long"),
        (b"", "closed"),
    ],
)
@pytest.mark.parametrize("ask", ["saturate", "pace"])
def test_an_answer_that_is_no_success_ends_the_load(answer: bytes, said: str, ask: str) -> None:
    def load(port: int) -> object:
        if ask == "pace":
            return pace(port, "/", rate=100, seconds=0.1)
        return saturate(port, "/", connections=1, requests=10)

    with _serving(lambda number: answer if number == 3 else _ANSWER) as server, pytest.raises(LoadError, match=said):
        load(server.port)


def test_a_server_that_is_not_there_ends_the_load(free_port: int) -> None:
    with pytest.raises(LoadError, match="cannot be reached"):
        saturate(free_port, "/", connections=1, requests=1)


def test_a_pace_asks_as_often_as_it_says() -> None:
    with _serving() as server:
        began = time.perf_counter()
        latencies = pace(server.port, "/", rate=200, seconds=0.25)
        assert len(latencies) == server.asked == 50
        assert time.perf_counter() - began >= 49 / 200


def test_waiting_for_a_free_connection_counts_as_latency() -> None:
    def slow(_: int) -> bytes:
        time.sleep(0.02)
        return _ANSWER

    with _serving(slow) as server:
        # Due every 2 ms, answered every 20 ms on the only connection: the tenth is late by nine of these.
        latencies = pace(server.port, "/", rate=500, seconds=0.02, connections=1)
        assert len(latencies) == 10
        assert latencies[-1] >= 9 * 0.02 + 0.02 - 9 / 500
