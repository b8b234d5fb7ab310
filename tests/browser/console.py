"""The console as a process of its own."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Console:
    """A running console.

    Attributes:
        url: of the page, the API and OTLP over HTTP.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        self._process = self._started()

    def _started(self) -> ServiceProcess:
        command = ["mita-otel", "console", "--port", str(self._port), "--otlp-http-port", str(find_free_port())]
        return ServiceProcess(
            [*command, "--otlp-grpc-port", "none", "--folder", str(self._folder / "data")],
            {},
            self._folder,
            url=f"{self.url}/api/console/status",
        )

    def ask(self, path: str, **query: str | int) -> Any:
        """Return an answer of the API: `ask("console/traces", limit=10)`."""
        with _DIRECT.open(f"{self.url}/api/{path}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)

    def await_spans(self, trace_id: str, count: int) -> None:
        """Wait until so many spans of a trace have arrived."""
        eventually(lambda: len(self.ask(f"console/traces/{trace_id}")["trace"]["spans"]) >= count, timeout=30)

    def restart(self) -> None:
        """Start it again on the same port and data."""
        self._process = self._started()

    def kill(self) -> None:
        self._process.kill()


@contextmanager
def console_running(folder: Path) -> Iterator[Console]:
    """Run a console on a free port, with its data in a folder."""
    console = Console(folder, find_free_port())
    try:
        yield console
    finally:
        console.kill()
