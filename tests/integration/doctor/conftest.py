"""The doctor as a person runs it, and receivers that are wrong in many ways."""

import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol

import pytest

from mita_otel import doctor
from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `mita-otel doctor --json` said."""

    status: int
    document: Mapping[str, Any]
    stderr: str

    def of(self, check: str) -> list[dict[str, str]]:
        """The findings of one check."""
        return [finding for finding in self.document["findings"] if finding["check"] == check]

    @property
    def troubles(self) -> dict[str, str]:
        """What is not in order: verdicts and sentences by check."""
        told: dict[str, str] = {}
        for finding in self.document["findings"]:
            if finding["verdict"] != "ok":
                before = told.get(finding["check"], "")
                told[finding["check"]] = f"{before}{finding['verdict']}: {finding['sentence']}\n"
        return told


class Examine(Protocol):
    """Runs the doctor; variables in capitals go on top of those of a set-up that is in order."""

    def __call__(self, *arguments: str, **variables: str) -> Diagnosis: ...


class StandIn(http.server.ThreadingHTTPServer):
    """Answers Jaeger's `/api/traces/{id}` with what an OTLP receiver got."""

    def __init__(self, receiver: OtlpReceiver) -> None:
        self.receiver = receiver
        self.forgetful = False
        super().__init__(("127.0.0.1", 0), _Traces)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Traces(http.server.BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        trace_id = self.path.removeprefix("/api/traces/")
        known = {span["trace_id"] for span in self.server.receiver.spans}
        found = trace_id in known and not self.server.forgetful
        answer: dict[str, Any] = {"data": [{"traceID": trace_id}]} if found else {"errors": [{"code": 404}]}
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def jaeger(otlp_receiver: OtlpReceiver) -> Iterator[StandIn]:
    """A Jaeger that has every trace the receiver got."""
    stand_in = StandIn(otlp_receiver)
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def in_order(otlp_receiver: OtlpReceiver, jaeger: StandIn) -> dict[str, str]:
    """The variables of a set-up without any fault."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
        "OTEL_SERVICE_NAME": "examined",
        "MITA_JAEGER_URL": jaeger.url,
    }


@pytest.fixture
def examine(in_order: Mapping[str, str]) -> Examine:
    """Examine by the command, which tells of its own process, too."""

    def run(*arguments: str, **variables: str) -> Diagnosis:
        ended = subprocess.run(
            [str(PROGRAMS / "mita-otel"), "doctor", "--json", *arguments],
            env=clean_environment({**in_order, **variables}),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return Diagnosis(ended.returncode, json.loads(ended.stdout), ended.stderr)

    return run


@pytest.fixture
def examine_here(in_order: Mapping[str, str]) -> Callable[..., Diagnosis]:
    """Examine by what the command calls: as real, without the half second in which a command starts."""

    def run(application: str = "", **variables: str) -> Diagnosis:
        report = doctor.examine(clean_environment({**in_order, **variables}), application)
        return Diagnosis(report.exit_code, json.loads(report.as_json()), "")

    return run


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., str]:
    """Make a folder for PYTHONPATH in which a package is installed: its metadata, and its code if there is any."""

    def install(name: str, version: str, *, entry_points: str = "", requires: str = "", **modules: str) -> str:
        folder = tmp_path / f"installed-{name}"
        metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir(parents=True)
        required = f"Requires-Dist: {requires}\n" if requires else ""
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}")
        if entry_points:
            (metadata / "entry_points.txt").write_text(entry_points)
        for module, code in modules.items():
            (folder / f"{module}.py").write_text(code)
        return str(folder)

    return install


@pytest.fixture
def application(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Write an application, `examined:app`, and return the variables that make it importable."""

    def write(code: str) -> dict[str, str]:
        folder = tmp_path / "application"
        folder.mkdir()
        (folder / "examined.py").write_text(code)
        return {"PYTHONPATH": str(folder)}

    return write


class _Late(http.server.BaseHTTPRequestHandler):
    """Accepts everything, an hour ahead of time."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response_only(200)
        self.send_header("Date", formatdate(time.time() + 3600, usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver_of_tomorrow() -> Iterator[str]:
    """The endpoint of a receiver whose clock is an hour ahead."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Late)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


class _Page(http.server.BaseHTTPRequestHandler):
    """A web application that answers everything with a page."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>welcome</html>")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def web_page() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def _accepting(greet: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    ending = threading.Event()

    def accept() -> None:
        while not ending.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with contextlib.suppress(OSError, ssl.SSLError):
                    connection.settimeout(5)
                    greet(connection)
                connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def ssh_port() -> Iterator[int]:
    """A port that greets as an SSH server does, and understands nothing."""

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.recv(1024)

    with _accepting(greet) as port:
        yield port


@pytest.fixture(scope="module")
def tls_port() -> Iterator[int]:
    """A port that speaks TLS."""
    folder = ROOT / "tests" / "integration" / "export" / "tls"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")

    def greet(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(1024)

    with _accepting(greet) as port:
        yield port
