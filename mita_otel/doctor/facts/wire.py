"""What a port speaks, found out by speaking to it."""

import contextlib
import socket
import ssl
from typing import Final

from mita_otel.doctor.facts.model import Language

_TIMEOUT: Final = 1.0
"""Seconds for each question: whoever speaks at all answers at once."""

_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""The connection preface of HTTP/2 and an empty SETTINGS frame. Source: RFC 9113, section 3.4."""

_HTTP1: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_SETTINGS: Final = 4
_FRAME_HEADER: Final = 9
_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")


def language_of(host: str, port: int) -> Language:
    """Say what a TCP port speaks; takes four seconds at most."""
    try:
        answer = _ask(host, port, _HTTP2)
    except OSError:
        return "nothing"
    if len(answer) >= _FRAME_HEADER and answer[3] == _SETTINGS:
        return "http/2"
    with contextlib.suppress(OSError):
        if answer.startswith(_TLS_RECORDS) or _speaks_tls(host, port):
            return "tls"
        if answer.startswith(b"HTTP/1") or _ask(host, port, _HTTP1).startswith(b"HTTP/1"):
            return "http/1.1"
    return "unknown"


def _ask(host: str, port: int, question: bytes) -> bytes:
    """Return the first bytes of the answer; none if the connection is closed or nothing comes in time.

    Raises:
        OSError: the port takes no connection.
    """
    with socket.create_connection((host, port), timeout=_TIMEOUT) as connection:
        answer = b""
        with contextlib.suppress(OSError):
            connection.sendall(question)
            while len(answer) < _FRAME_HEADER and (more := connection.recv(64)):
                answer += more
        return answer


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    # The question is whether it is TLS; who it is will be asked by whoever sends something.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # Whoever asks for a client's certificate or dislikes our versions speaks TLS, too.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
