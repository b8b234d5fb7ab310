"""The console as a process of its own, and what its file holds."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.fixtures.polling import EndedError, eventually, find_free_port
from tests.fixtures.service import ServiceFactory, ServiceProcess

PROTOBUF = {"content-type": "application/x-protobuf"}


class Console:
    """A running console.

    Attributes:
        process: its process.
        folder: where its data is.
        page: the address of the page and the API.
        http: that of OTLP over HTTP.
        grpc: that of OTLP over gRPC.
    """

    def __init__(self, process: ServiceProcess, folder: Path, ports: tuple[int, int, int]) -> None:
        self.process = process
        self.folder = folder
        self.page, self.http, self.grpc = (f"http://127.0.0.1:{port}" for port in ports)

    def post(self, signal: str, body: Any, headers: Mapping[str, str] = PROTOBUF) -> httpx.Response:
        """Send a message or a body."""
        content = body if isinstance(body, bytes | str) else body.SerializeToString()
        return httpx.post(f"{self.http}/v1/{signal}", content=content, headers=dict(headers), timeout=60)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Return the rows of a query on the file; of a query with one column, the values."""
        address = f"{(self.folder / 'console.db').as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            return [row[0] if len(row) == 1 else row for row in connection.execute(query, values)]

    def count(self, table: str = "spans") -> int:
        """Return how many rows a table has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0])


class StartConsole(Protocol):
    """Starts a console with options, and waits until it answers on all its ports."""

    def __call__(
        self, *options: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Console: ...


@pytest.fixture
def start_console(start_service: ServiceFactory, tmp_path: Path) -> StartConsole:
    def start(*options: str, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Console:
        for _ in range(3):
            try:
                return start_once(*options, folder=folder, environment=environment)
            except EndedError as error:
                # Between our look at a port and the console's own, another test may have taken it.
                if "Address already in use" not in str(error):
                    raise
        return start_once(*options, folder=folder, environment=environment)

    def start_once(*options: str, folder: Path | None, environment: Mapping[str, str] | None) -> Console:
        ports = find_free_port(), find_free_port(), find_free_port()
        place = folder or tmp_path / "data"
        command = ["mita-otel", "console", "--folder", str(place), "--port", str(ports[0])]
        command += ["--otlp-http-port", str(ports[1]), "--otlp-grpc-port", str(ports[2])]
        process = start_service([*command, *options], environment or {})
        console = Console(process, place, ports)
        for address in (console.page, console.http, console.grpc):
            wait_until_it_listens(process, address)
        return console

    return start


def wait_until_it_listens(process: ServiceProcess, address: str) -> None:
    """Wait for the console's own word: what speaks HTTP/2 only gives no answer that a plain client knows."""

    def is_told() -> bool:
        if not process.running:
            raise EndedError(f"ended: {process.stdout}{process.stderr}")
        return address in process.stdout

    eventually(is_told, 30)


@pytest.fixture
def console(start_console: StartConsole) -> Iterator[Console]:
    """A console with the default limits; it must be alive and silent at the end."""
    started = start_console()
    yield started
    assert started.process.running
    assert started.process.stderr == ""
