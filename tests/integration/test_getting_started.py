"""The three steps of the documentation, as written there but for the ports, and the doctor on what they start."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ROOT, ServiceFactory, clean_environment, services

pytestmark = pytest.mark.xdist_group("getting started")

DOCS = ROOT / "docs"
TOKEN = "sixteen-or-more-characters"


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


INSTALL, CONSOLE, SERVE, LOOK = _blocks("getting-started.md", "sh")
DOCTOR, DOCTOR_APP, DOCTOR_SERVICE, _ = _blocks("troubleshooting.md", "sh")


@dataclass(frozen=True)
class Shop:
    """What the three steps start."""

    folder: Path
    console: str
    variables: dict[str, str]
    port: int

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the documentation where the reader would."""
        environment = clean_environment(self.variables | {"OTEL_SERVICE_NAME": "shop"})
        return subprocess.run(
            command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}"),
            shell=True, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def ask(self, path: str) -> Any:
        return httpx.get(f"{self.console}/api/console/{path}").json()


def _start(start: ServiceFactory, command: str, folder: Path, url: str, **variables: str) -> None:
    start(["sh", "-c", command], variables, cwd=folder, url=url)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    (application,) = _blocks("getting-started.md", "python")
    (folder / "main.py").write_text(application)
    page, otlp, port = find_free_port(), find_free_port(), find_free_port()
    console = f"http://127.0.0.1:{page}"
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp}",
        "MITA_CONSOLE_URL": console,
        "MITA_ADMIN_TOKEN": TOKEN,
        "MITA_STRICT": "1",
        "PIP_NO_INDEX": "1",
    }
    with services(tmp_path_factory.mktemp("logs")) as start:
        ports = f"--port {page} --otlp-http-port {otlp} --otlp-grpc-port none"
        _start(start, f"{CONSOLE} {ports}", folder, console)
        url = f"http://127.0.0.1:{port}/health"
        _start(start, SERVE, folder, url, **variables, UVICORN_PORT=str(port), OTEL_METRIC_EXPORT_INTERVAL="500")
        yield Shop(folder, console, variables, port)


def test_the_package_has_what_the_first_step_asks_for(shop: Shop) -> None:
    ended = shop.run(INSTALL)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_answer_names_its_trace_and_the_console_shows_it_with_its_line(shop: Shop) -> None:
    answer = shop.run(LOOK).stdout
    (shown,) = _blocks("getting-started.md", "text")
    promised = {line.partition(":")[0] for line in shown.splitlines()[1:]}
    assert promised == {"x-correlation-id", "traceresponse", "server-timing"}
    assert {name for name in promised if re.search(rf"^{name}: ", answer, re.MULTILINE)} == promised
    trace_id = re.findall("^traceresponse: 00-([0-9a-f]{32})-", answer, re.MULTILINE)[0]
    spans = eventually(lambda: shop.ask(f"traces/{trace_id}")["trace"]["spans"])
    assert [span["operationName"] for span in spans] == ["GET /orders/{number}"]
    eventually(lambda: "order 7 read" in str(shop.ask(f"logs?trace_id={trace_id}")))


def test_the_duration_is_among_the_metrics(shop: Shop) -> None:
    shop.run(LOOK)
    eventually(lambda: "http.server.request.duration" in str(shop.ask("metrics")))


@pytest.mark.parametrize("command", [DOCTOR, DOCTOR_APP], ids=["the environment", "the application"])
def test_the_doctor_finds_the_probe_it_sent(shop: Shop, command: str) -> None:
    ended = shop.run(command)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert re.search("^ok +arrival ", ended.stdout, re.MULTILINE), ended.stdout


def test_the_doctor_asks_the_running_service(shop: Shop) -> None:
    ended = shop.run(DOCTOR_SERVICE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search("^ok +losses ", ended.stdout, re.MULTILINE), ended.stdout
