"""HTTP/1.1 as far as clients on this machine speak it: kept connections, bodies by length or in chunks."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What it gets, with status 200."""

    body: bytes = b""
    kind: str = "application/json"


Handle = Callable[[Request], Answer]


def parse(buffer: bytes) -> tuple[Request, bytes] | None:
    """Return the first request of a buffer and what follows it, or None while it is not all there.

    Raises:
        ValueError: this is not HTTP.
    """
    head, separator, rest = buffer.partition(_HEAD_END)
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    _, path, _ = first.split(" ", 2)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        found = _chunks(rest)
    else:
        length = int(headers.get("content-length", "0"))
        found = (rest[:length], rest[length:]) if len(rest) >= length else None
    return None if found is None else (Request(path, headers, found[0]), found[1])


def _chunks(data: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        size, separator, data = data.partition(b"\r\n")
        if not separator:
            return None
        length = int(size.split(b";", 1)[0], 16)
        if len(data) < length + 2:
            return None
        body += data[:length]
        data = data[length + 2 :]
        if not length:
            return body, data


class Connection(asyncio.Protocol):
    """Answers the requests of one connection.

    Args:
        handle: makes the answers.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (found := parse(self._buffer)) is not None:
            request, self._buffer = found
            self._write(self._handle(request))

    def _write(self, answer: Answer) -> None:
        assert self._transport is not None
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {answer.kind}\r\ncontent-length: {len(answer.body)}\r\n\r\n"
        self._transport.write(head.encode() + answer.body)


async def serve(port: int, handle: Handle) -> None:
    """Serve for ever on a port of the loopback interface."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(handle), "127.0.0.1", port)
    await server.serve_forever()
