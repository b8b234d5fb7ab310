"""OTLP over HTTP/1.1 with protobuf bodies: one kept connection, one deadline an attempt."""

import contextlib
import gzip
import http.client
import io
import os
import select
import socket
import ssl
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mita_otel.endpoint import OtlpEndpoint
from mita_otel.export.answer import judge
from mita_otel.export.sender import Outcome, Retry
from mita_otel.installed import version

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are read: a partial success fits a thousand times, an endless body does not hold us."""

_LEVEL: Final = 1
"""Of compression: spans of 186 kB become 19.4 kB at 0.5 us each; at level 9, the default, 18.7 kB at 2.2 us."""


class HttpSender:
    """Sends payloads by POST; redirects are not followed, proxies are not used.

    The standard library's client and not a pool: there is one thread a sender, and only at the socket can one deadline
    hold against a receiver that sends a byte now and then.

    Attributes:
        date: The `Date` header of the last answer, or None.
    """

    def __init__(self, endpoint: OtlpEndpoint) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint = endpoint
        self._host = parts.hostname or ""
        self._port = parts.port or (80 if endpoint.insecure else 443)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {
            "host": parts.netloc.rpartition("@")[2],
            "user-agent": f"mita-otel/{version('mita-otel')}",
            **dict(endpoint.headers),
            "content-type": "application/x-protobuf",
        }
        if endpoint.compression == "gzip":
            self._headers["content-encoding"] = "gzip"
        self._tls = None if endpoint.insecure else _tls(endpoint)
        self._connection: _Connection | None = None
        self._pid = os.getpid()
        self._sending = threading.Lock()
        self._closed = False
        self.date: str | None = None

    @property
    def destination(self) -> str:
        """The URL without user, password and query."""
        return self._endpoint.destination

    def send(self, payload: bytes, timeout: float) -> Outcome:
        """POST once; connecting, sending and the whole answer share `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._adopt()
        body = gzip.compress(payload, _LEVEL, mtime=0) if self._endpoint.compression == "gzip" else payload
        try:
            with self._sending:
                return self._exchange(body, deadline)
        finally:
            if self._closed:
                self._release()

    def close(self) -> None:
        """Shut the socket down, which ends a running attempt at once; the attempt's own thread then closes it."""
        self._closed = True
        connection = self._connection
        if self._pid == os.getpid():
            if connection is not None:
                connection.abort()
            self._release()

    def _adopt(self) -> None:
        """Begin anew in a forked child: two processes must not talk on one connection."""
        if self._pid != os.getpid():
            self._sending, self._pid = threading.Lock(), os.getpid()
            self._forget()

    def _release(self) -> None:
        if self._sending.acquire(blocking=False):
            try:
                self._forget()
            finally:
                self._sending.release()

    def _exchange(self, body: bytes, deadline: float) -> Outcome:
        try:
            connection = self._connected(deadline)
            status, headers, answer, reusable = connection.post(self._path, body, self._headers, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._forget()
            return Retry(_reason(error))
        self.date = headers.get("date")
        if not reusable:
            self._forget()
        return judge(status, headers, answer, time.time())

    def _connected(self, deadline: float) -> "_Connection":
        if self._connection is not None and not self._connection.is_fresh():
            self._forget()
        if self._connection is None:
            self._connection = _Connection(_connect(self._host, self._port, self._tls, deadline))
        return self._connection

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is already open."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__("receiver.invalid")  # never resolved: the socket is open, and the Host header is given
        self.sock: socket.socket = sock
        self.auto_open = 0
        self._socket = sock

    def post(
        self, path: str, body: bytes, headers: dict[str, str], deadline: float
    ) -> tuple[int, dict[str, str], bytes, bool]:
        """Return status, headers, the first bytes of the body, and whether the connection can be used again."""
        self._socket.settimeout(_remaining(deadline))
        self.request("POST", path, body, headers)
        self.response_class = partial(_Answer, deadline=deadline)  # type: ignore[assignment]  # a factory serves
        answer = self.getresponse()
        content = answer.read(ANSWER_LIMIT)
        reusable = (answer.isclosed() or answer.length == 0) and not answer.will_close
        answer.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, reusable

    def is_fresh(self) -> bool:
        """Return False if the receiver has closed the connection, or sent something nobody asked for."""
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
        except (OSError, ValueError):
            return False
        return not poll.poll(0)

    def abort(self) -> None:
        """Wake whoever waits on the socket, from any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class _Answer(http.client.HTTPResponse):
    """An answer that is read under a deadline, headers included."""

    def __init__(self, sock: socket.socket, *, method: str | None = None, deadline: float) -> None:
        super().__init__(sock, method=method)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock, deadline))


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes, where each read may take no longer than what is left until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket = sock
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._socket.settimeout(_remaining(self._deadline))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _connect(host: str, port: int, tls: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """Try each address of the host with a fair share of the time, so that a dead one leaves some for the next."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    error: OSError = OSError(f"no address for {host}")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_remaining(deadline) / (len(addresses) - position))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is None:
                return sock
            sock.settimeout(_remaining(deadline))
            return tls.wrap_socket(sock, server_hostname=host)
        except OSError as failure:
            sock.close()
            error = failure
    raise error


def _tls(endpoint: OtlpEndpoint) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=endpoint.certificate)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key)
    return context


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _reason(error: Exception) -> str:
    """Say what happened without addresses and object ids, so that equal faults read the same."""
    match error:
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "connection refused"
        case http.client.RemoteDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "connection closed by the receiver"
        case ssl.SSLError():
            return f"TLS: {error.reason or type(error).__name__}"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return type(error).__name__
