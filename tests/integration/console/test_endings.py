"""However the console ends, what it acknowledged is there."""

import signal
import threading
from pathlib import Path

import httpx
import pytest

from tests.fixtures.otlp_requests import span, traces
from tests.fixtures.polling import eventually
from tests.fixtures.service import ServiceFactory
from tests.integration.console.conftest import Console, StartConsole


class Load:
    """Sends spans until the console is gone, and keeps the traces that were acknowledged."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.acknowledged: list[bytes] = []
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with httpx.Client(base_url=self._console.http) as client:
            headers = {"content-type": "application/x-protobuf"}
            while True:
                spans = [span(text="x" * 100) for _ in range(50)]
                try:
                    answer = client.post("/v1/traces", content=traces(*spans).SerializeToString(), headers=headers)
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    self.acknowledged.extend(one.trace_id for one in spans)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_end_under_load_loses_nothing_acknowledged(start_console: StartConsole, number: signal.Signals) -> None:
    console = start_console()
    load = Load(console)
    load.start()
    eventually(lambda: len(load.acknowledged) > 2000)
    console.process.terminate(number)
    status = console.process.wait()
    load.join()
    assert status == (-number if number is signal.SIGKILL else 0)
    assert set(load.acknowledged) <= set(console.rows("SELECT trace FROM spans"))
    assert console.rows("PRAGMA integrity_check") == ["ok"]


def test_what_a_killed_console_has_stored_is_served_by_the_next(start_console: StartConsole) -> None:
    first = start_console()
    made = span("GET /")
    first.post("traces", traces(made))
    first.process.terminate(signal.SIGKILL)
    first.process.wait()
    second = start_console(folder=first.folder)
    second.post("traces", traces(span("GET /")))
    assert second.count() == 2
    assert httpx.get(f"{second.page}/api/traces/{made.trace_id.hex()}").status_code == 200


def test_a_temporary_folder_is_gone_after_the_end(start_service: ServiceFactory, tmp_path: Path) -> None:
    options = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"]
    process = start_service(["mita-otel", "console", *options], {"TMPDIR": str(tmp_path)})
    eventually(lambda: "OTLP/gRPC" in process.stdout, 30)
    assert list(tmp_path.glob("mita-otel-console-*/console.db"))
    process.terminate(signal.SIGTERM)
    assert process.wait() == 0
    assert not list(tmp_path.glob("mita-otel-console-*"))
    assert process.stderr == ""
