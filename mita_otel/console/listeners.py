"""The sockets that the console listens on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mita_otel.console.options import ConsoleError, Options


@contextmanager
def listening(options: Options) -> Iterator[list[socket.socket]]:
    """Yield bound sockets for the page and for OTLP over HTTP: one if they share a port.

    Raises:
        ConsoleError: a port is taken, or the host is not one of this machine.
    """
    wanted = {"--port": options.port}
    if options.otlp_http_port != options.port or not options.port:
        wanted["--otlp-http-port"] = options.otlp_http_port
    with ExitStack() as stack:
        yield [stack.enter_context(_bound(options.host, port, option)) for option, port in wanted.items()]


def check_free(options: Options) -> None:
    """Find out early whether the port of gRPC is free: its own error would come late and say little.

    Raises:
        ConsoleError: it is not.
    """
    if options.otlp_grpc_port:
        _bound(options.host, options.otlp_grpc_port, "--otlp-grpc-port").close()


def _bound(host: str, port: int, option: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConsoleError(f"--host {host}: {error.strerror or error}; choose another") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConsoleError(f"{option} {port} of {host}: {error.strerror or error}; choose another") from error
    return listener


def url_of(host: str, port: int) -> str:
    """Return the address of a listener as clients write it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
