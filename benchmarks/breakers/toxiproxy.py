"""A dependency behind Toxiproxy: a real HTTP server, and a real proxy that spoils what passes."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from mita_otel.stack import Cache, build_all, default_cache
from mita_otel.stack.ports import LOOPBACK, free_port
from mita_otel.stack.recipes import for_tests
from tests.fixtures.polling import eventually

BODY = b'{"rates": {"EUR": 0.9}}' + b" " * 4000
"""Long enough to drip."""


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing: connections are cut on purpose."""


@contextmanager
def server() -> Iterator[int]:
    """Serve, and give the port."""
    serving = _Server((LOOPBACK, 0), _Answering)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    try:
        yield int(serving.server_address[1])
    finally:
        serving.shutdown()
        serving.server_close()


class Dependency:
    """The way through the proxy, and what it does to it.

    Attributes:
        url: of the dependency, through the proxy.
    """

    def __init__(self, control: str, port: int, behind: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._control = httpx.Client(base_url=control, headers={"user-agent": "breakers"}, trust_env=False)
        proxy = {"name": "api", "listen": f"{LOOPBACK}:{port}", "upstream": f"{LOOPBACK}:{behind}", "enabled": True}
        self._control.post("/proxies", json=proxy).raise_for_status()

    def spoil(self, kind: str, **attributes: int) -> None:
        """Do something to what comes back, beside what is done already. Source: Toxiproxy, "Toxics"."""
        toxic = {"name": kind, "type": kind, "stream": "downstream", "attributes": attributes}
        self._control.post("/proxies/api/toxics", json=toxic).raise_for_status()

    def switch(self, *, on: bool) -> None:
        """Let the proxy listen, or not."""
        self._control.post("/proxies/api", json={"enabled": on}).raise_for_status()

    def heal(self) -> None:
        """Undo everything."""
        self._control.post("/reset").raise_for_status()

    def close(self) -> None:
        """Leave the proxy alone."""
        self._control.close()


@contextmanager
def dependency() -> Iterator[Dependency]:
    """Run the server and the proxy before it."""
    program: Path = build_all(Cache(default_cache()), wanted=for_tests)["toxiproxy"]
    port, control = free_port(), free_port()
    with server() as behind:
        child = subprocess.Popen(
            [program, "-host", LOOPBACK, "-port", str(control)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://{LOOPBACK}:{control}"
            eventually(lambda: httpx.get(f"{url}/version", headers={"user-agent": "b"}, trust_env=False).is_success)
            found = Dependency(url, port, behind)
            yield found
            found.close()
        finally:
            child.kill()
            child.wait()
