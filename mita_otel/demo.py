"""The demo: the backends, the databases, the reference service under instrumentation, and a little traffic."""

import json
import os
import random
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from mita_otel.settings import environment
from mita_otel.stack import Endpoints
from mita_otel.stack.databases import postgres_server, redis_server

SERVICE: Final = "mita-finance"
_START_TIMEOUT: Final = 60.0
"""Seconds: a first start migrates the database and compiles byte code."""
_STOP_TIMEOUT: Final = 15.0
"""Seconds: the service's own deadline for delivery is 5."""

Report = Callable[[str], None]


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo.

    Attributes:
        url: Base URL of the reference service.
        endpoints: Where the backends answer.
    """

    url: str
    endpoints: Endpoints

    def queries(self, trace_id: str) -> dict[str, str]:
        """Return the URL that finds a trace, its log lines, and the metric that counts its request."""
        lines = quote(f'{{service_name="{SERVICE}"}} | trace_id="{trace_id}"')
        metric = quote(f'http_server_request_duration_seconds_count{{service_name="{SERVICE}"}}')
        return {
            "trace": f"{self.endpoints.jaeger}/api/traces/{trace_id}",
            "logs": f"{self.endpoints.loki}/loki/api/v1/query_range?query={lines}",
            "metric": f"{self.endpoints.prometheus}/api/v1/query?query={metric}",
        }


@contextmanager
def running(folder: Path, endpoints: Endpoints, root: Path, report: Report) -> Iterator[Demo]:
    """Run databases, the stand-in for external APIs and the service; everything ends with the block.

    Args:
        folder: Data and logs.
        endpoints: Of a stack that is up.
        root: The checkout that holds `app`.
        report: Told what happens.

    Raises:
        DemoError: something does not start; its log is named.
    """
    with ExitStack() as everything:
        report("starting PostgreSQL and Redis")
        database = everything.enter_context(postgres_server(folder / "postgres"))
        cache = everything.enter_context(redis_server(folder / "redis"))
        standin, port = _free_port(), _free_port()
        report("starting the stand-in for external APIs")
        python = sys.executable
        external = f"http://127.0.0.1:{standin}"
        command = [python, "-m", "app.standin", "--port", str(standin), "--error-rate", "0.05"]
        everything.enter_context(_program(command, folder / "standin.log", root, {}))
        _await(f"{external}/openapi.json", folder / "standin.log")
        report("starting the service: opentelemetry-instrument uvicorn app.main:app")
        variables = {
            "OTEL_SERVICE_NAME": SERVICE,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoints.otlp_http,
            "OTEL_METRIC_EXPORT_INTERVAL": "2000",
            "DATABASE_URL": database.url,
            "REDIS_URL": cache.url,
            "RATES_API_URL": external,
            "INSIGHTS_API_URL": external,
            "MIGRATE_ON_START": "true",
            "JWT_SECRET": secrets.token_urlsafe(48),
        }
        programs = Path(python).parent
        command = [str(programs / "opentelemetry-instrument"), str(programs / "uvicorn"), "app.main:app"]
        log = folder / "service.log"
        everything.enter_context(_program([*command, "--port", str(port)], log, root, variables))
        _await(f"http://127.0.0.1:{port}/health", log)
        yield Demo(f"http://127.0.0.1:{port}", endpoints)


class Traffic:
    """A user who logs in, looks around and spends; now and then something fails.

    Attributes:
        sent: Requests by status.
        last_trace_id: Of the newest answer, in hexadecimal.
    """

    def __init__(self, url: str) -> None:
        """Take the base URL of the service."""
        self._url = url
        self._headers: dict[str, str] = {}
        self.sent: dict[int, int] = {}
        self.last_trace_id = ""

    def sign_up(self) -> None:
        """Register a new user."""
        user = {"email": f"{secrets.token_hex(8)}@example.com", "password": secrets.token_hex(8), "currency": "USD"}
        token = self._send("POST", "/api/auth/register", user)["access_token"]
        self._headers = {"authorization": f"Bearer {token}"}

    def step(self) -> None:
        """Send one request, chosen by chance."""
        amount = {"amount": f"{random.randint(1, 20000) / 100:.2f}", "category": "food"}  # noqa: S311 - chance, not secrecy
        steps: list[tuple[str, str, Mapping[str, str] | None]] = [
            ("POST", "/api/transactions", {**amount, "currency": "EUR"}),
            ("POST", "/api/transactions", amount),
            ("GET", "/api/transactions?limit=10", None),
            ("GET", "/api/budgets/dashboard", None),
            ("GET", "/api/insights", None),
            ("GET", "/api/users/me", None),
            ("GET", "/api/transactions/00000000-0000-0000-0000-000000000000", None),
        ]
        self._send(*random.choice(steps))  # noqa: S311 - as above

    def spend(self) -> None:
        """Spend in a foreign currency: a request with a query, cache commands and a call."""
        self._send("POST", "/api/transactions", {"amount": "100", "currency": "EUR", "category": "food"})

    def _send(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the demo's own service
            self._url + path,
            data,
            {**self._headers, "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
                return self._received(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return self._received(error.code, error.headers, error.read())

    def _received(self, status: int, headers: Any, body: bytes) -> Any:
        self.sent[status] = self.sent.get(status, 0) + 1
        self.last_trace_id = str(headers.get("traceresponse", "--")).split("-")[1]
        return json.loads(body) if body else None


def verify(demo: Demo, trace_id: str, timeout: float = 30.0) -> dict[str, int]:
    """Return how many spans, log lines and series the backends have of a request; waits until each has some.

    Raises:
        DemoError: something did not arrive in time.
    """
    queries = demo.queries(trace_id)
    deadline = time.monotonic() + timeout
    while True:
        found = {
            "spans": sum(len(trace["spans"]) for trace in _ask(queries["trace"]).get("data") or []),
            "log_lines": sum(len(stream["values"]) for stream in _found(_ask(queries["logs"]))),
            "series": len(_found(_ask(queries["metric"]))),
        }
        if all(found.values()):
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"not everything arrived within {timeout:.0f} s: {found}; look at 'mita-otel stack status'")
        time.sleep(0.2)


def _found(answer: Mapping[str, Any]) -> list[Any]:
    return list(answer.get("data", {}).get("result", []))


def _ask(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a backend of the demo
            asked: dict[str, Any] = json.load(answer)
            return asked
    except (urllib.error.URLError, ValueError):
        return {}


@contextmanager
def _program(command: list[str], log: Path, root: Path, variables: Mapping[str, str]) -> Iterator[None]:
    inherited = {name: value for name, value in environment().items() if not name.startswith(("OTEL_", "MITA_"))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**inherited, "PYTHONPATH": str(root), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _await(url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a program of the demo
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise DemoError(f"{url} does not answer: {error}; see {log}") from error
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
