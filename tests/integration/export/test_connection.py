"""An HTTP sender keeps its connection, and notices when the receiver has closed it."""

import socket
import threading
from collections.abc import Iterator

import pytest

from mita_otel.export import Accepted, OtlpEndpoint, Outcome, Refused, Retry, open_sender
from mita_otel.export.http import ANSWER_LIMIT

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Scripted:
    """Answers the requests of one connection after the other from its script, and closes each at its end."""

    def __init__(self, script: list[list[bytes]]) -> None:
        self.script = script
        self.accepted = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        for answers in self.script:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            with connection, connection.makefile("rb") as requests:
                for answer in answers:
                    length = 0
                    while line := requests.readline().strip():
                        name, _, value = line.partition(b":")
                        length = int(value) if name.lower() == b"content-length" else length
                    requests.read(length)
                    connection.sendall(answer)

    def close(self) -> None:
        self.listener.close()
        self.thread.join(5)


@pytest.fixture
def scripted(request: pytest.FixtureRequest) -> Iterator[Scripted]:
    server = Scripted(request.param)
    yield server
    server.close()


def outcomes(server: Scripted, count: int) -> list[Outcome]:
    sender = open_sender(OtlpEndpoint(url=f"http://127.0.0.1:{server.port}/v1/traces"), "traces")
    try:
        return [sender.send(b"", 5) for _ in range(count)]
    finally:
        sender.close()


@pytest.mark.parametrize("scripted", [[[OK, OK, OK]]], indirect=True)
def test_one_connection_serves_many_payloads(scripted: Scripted) -> None:
    assert outcomes(scripted, 3) == [Accepted()] * 3
    assert scripted.accepted == 1


@pytest.mark.parametrize("scripted", [[[OK], [OK]]], indirect=True)
def test_a_connection_that_the_receiver_closed_is_made_again_without_a_failed_attempt(scripted: Scripted) -> None:
    sender = open_sender(OtlpEndpoint(url=f"http://127.0.0.1:{scripted.port}/v1/traces"), "traces")
    assert sender.send(b"", 5) == Accepted()
    connection = sender._connection  # type: ignore[attr-defined]  # wait until the end of the stream is here
    connection._socket.recv(1, socket.MSG_PEEK)
    assert sender.send(b"", 5) == Accepted()
    sender.close()


@pytest.mark.parametrize(
    "scripted", [[[b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"], [OK]]], indirect=True
)
def test_a_receiver_that_announces_the_end_is_believed(scripted: Scripted) -> None:
    assert outcomes(scripted, 2) == [Accepted()] * 2


@pytest.mark.parametrize(
    "scripted",
    [[[b"HTTP/1.1 400 Bad\r\ncontent-length: 9000000\r\n\r\n" + b"x" * (ANSWER_LIMIT + 10_000)], [OK]]],
    indirect=True,
)
def test_no_more_of_an_answer_is_read_than_the_limit(scripted: Scripted) -> None:
    assert outcomes(scripted, 2) == [Refused("HTTP 400", divisible=True), Accepted()]


@pytest.mark.parametrize(
    ("scripted", "expected"),
    [
        ([[b"SSH-2.0-OpenSSH\r\n"]], Retry("BadStatusLine")),
        ([[b""]], Retry("connection closed by the receiver")),
        ([[b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 70_000 + b"\r\n\r\n"]], Retry("LineTooLong")),
        ([[b"HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"]], Refused),
    ],
    indirect=["scripted"],
)
def test_an_answer_that_is_not_http_is_a_failed_attempt(scripted: Scripted, expected: object) -> None:
    (outcome,) = outcomes(scripted, 1)
    assert outcome == expected or (isinstance(expected, type) and isinstance(outcome, expected))


def test_a_name_that_does_not_resolve_is_a_failed_attempt() -> None:
    sender = open_sender(OtlpEndpoint(url="http://receiver.invalid:1/v1/traces"), "traces")
    assert isinstance(sender.send(b"", 5), Retry)
