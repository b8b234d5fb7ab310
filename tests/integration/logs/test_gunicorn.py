"""gunicorn with uvicorn workers: its lines and the workers' are ours, once each."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]
LAUNCH = "import service; from gunicorn.app.wsgiapp import run; run(prog='gunicorn')"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"

Serve = Callable[..., tuple[list[dict[str, Any]], str]]


def _answer(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return int(response.status) == 200
    except OSError:
        return False


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start gunicorn, get one order, end it; return what it wrote."""
    processes: list[subprocess.Popen[str]] = []

    def run(*options: str) -> tuple[list[dict[str, Any]], str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        arguments = ["--bind", address, "-k", "uvicorn_worker.UvicornWorker", *options, "service:served"]
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *arguments],
            cwd=ROOT,
            text=True,
            env={"PYTHONPATH": f"{ROOT}:{HERE}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        deadline = time.monotonic() + 30
        while not _answer(f"http://{address}/orders/7"):
            assert time.monotonic() < deadline, "gunicorn did not start"
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=30)
        return [json.loads(line) for line in stdout.splitlines()], stderr

    yield run
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def test_every_line_is_json_once_and_the_access_line_has_its_request(serve: Serve) -> None:
    lines, stderr = serve("--access-logfile", "-")

    assert stderr == ""
    assert sum(line["message"].startswith("Starting gunicorn") for line in lines) == 1
    assert sum("Application startup complete" in line["message"] for line in lines) == 1
    [order] = [line for line in lines if line["logger"] == "shop.orders"]
    [access] = [line for line in lines if line["logger"] == "uvicorn.access"]
    assert access["trace_id"] == order["trace_id"]
    assert access["correlation_id"] == order["correlation_id"]
    assert access["process.pid"] == order["process.pid"]
    assert access["http.response.status_code"] == 200


def test_without_an_access_log_there_is_none(serve: Serve) -> None:
    lines, _ = serve()

    assert [line for line in lines if line["logger"] == "uvicorn.access"] == []
    assert len([line for line in lines if line["logger"] == "shop.orders"]) == 1
