"""uvicorn's own lines belong to the request they are about, on stdout and over OTLP, once each."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

SERVICE = Path(__file__).with_name("service.py")
ROOT = Path(__file__).parents[3]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Run:
    """A service that was asked something and has ended."""

    status: list[int]
    stdout: list[dict[str, Any]]
    stderr: str
    exported: list[dict[str, Any]]

    def lines(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.stdout if line["logger"] == logger]

    def records(self, body: str) -> list[dict[str, Any]]:
        return [record for record in self.exported if body in record["body"]]


Ask = Callable[..., Run]


def _get(url: str, headers: dict[str, str]) -> int:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            client.settimeout(0.2)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the service did not start")


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Start the service with arguments, get paths from it one after the other, end it."""
    processes: list[subprocess.Popen[str]] = []

    def run(*paths: str, options: tuple[str, ...] = (), headers: dict[str, str] | None = None) -> Run:
        port, dump = _port(), tmp_path / "exported.json"
        command = [sys.executable, str(SERVICE), "--port", str(port), "--dump", str(dump), *options]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            text=True,
            env={"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        _listening(port, process)
        status = [_get(f"http://127.0.0.1:{port}{path}", headers or {}) for path in paths]
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        lines = [json.loads(line) for line in stdout.splitlines()]
        return Run(status, lines, stderr, json.loads(dump.read_text()))

    yield run
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


TRACED = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "x-correlation-id": "order-7"}


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_the_access_line_carries_the_request(ask: Ask, http: str) -> None:
    run = ask("/orders/7?token=s3cr3t", options=("--http", http), headers=TRACED)

    [line] = run.lines("uvicorn.access")
    assert line["trace_id"] == TRACE_ID
    assert line["span_id"] == run.lines("shop.orders")[0]["span_id"]
    assert line["correlation_id"] == "order-7"
    assert line["http.request.method"] == "GET"
    assert line["url.path"] == "/orders/7"
    assert line["http.response.status_code"] == 200
    assert line["network.protocol.version"] == "1.1"
    assert line["client.address"] == "127.0.0.1"
    assert line["message"].endswith('"GET /orders/7?token=[REDACTED] HTTP/1.1" 200')
    [record] = run.records("/orders/7?token=[REDACTED]")
    assert record["trace_id"] == f"0x{TRACE_ID}"
    assert record["span_id"] == f"0x{line['span_id']}"
    assert record["attributes"]["correlation_id"] == "order-7"
    assert record["attributes"]["http.response.status_code"] == 200


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_an_unhandled_exception_is_reported_with_traceback_and_request(ask: Ask, http: str) -> None:
    run = ask("/fail", options=("--http", http), headers=TRACED)

    assert run.status == [500]
    [line] = [line for line in run.lines("uvicorn.error") if line["level"] == "ERROR"]
    assert line["message"] == "Exception in ASGI application"
    assert line["trace_id"] == TRACE_ID
    assert line["span_id"] == run.lines("uvicorn.access")[0]["span_id"]
    assert line["correlation_id"] == "order-7"
    assert line["exception"]["type"] == "RuntimeError"
    assert "in fail" in line["exception"]["stacktrace"]
    [record] = run.records("Exception in ASGI application")
    assert record["trace_id"] == f"0x{TRACE_ID}"
    assert record["span_id"] == f"0x{line['span_id']}"
    assert record["attributes"]["correlation_id"] == "order-7"
    assert "in fail" in record["attributes"]["exception.stacktrace"]


def test_each_line_is_written_once_and_nothing_as_plain_text(ask: Ask) -> None:
    run = ask("/orders/1", "/orders/2")

    assert [line["message"] for line in run.lines("shop.orders")] == ["order 1", "order 2"]
    assert len(run.lines("uvicorn.access")) == 2
    assert sum("Application startup complete" in line["message"] for line in run.lines("uvicorn.error")) == 1
    assert run.stderr == ""


def test_a_request_without_ids_gets_its_own_and_does_not_keep_the_previous_one(ask: Ask) -> None:
    run = ask("/orders/1", "/orders/2")

    first, second = run.lines("uvicorn.access")
    assert first["trace_id"] != second["trace_id"]
    assert first["correlation_id"] != second["correlation_id"]


def test_no_access_log_is_respected(ask: Ask) -> None:
    run = ask("/orders/1", options=("--no-access-log",))

    assert run.lines("uvicorn.access") == []
    assert len(run.lines("shop.orders")) == 1


def test_the_servers_log_level_is_respected(ask: Ask) -> None:
    run = ask("/orders/1", options=("--log-level", "warning"))

    assert run.lines("uvicorn.access") == []
    assert run.lines("uvicorn.error") == []
    assert len(run.lines("shop.orders")) == 1
