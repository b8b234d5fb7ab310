"""`mita-otel slo`: what is promised, how it stands, and whether a deployment may go on."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from mita_otel import slo
from mita_otel.cli.slo import app
from mita_otel.settings import Settings
from mita_otel.web.slo import SloEndpoint
from tests.fixtures.service import ROOT

TOKEN = "t" * 20
FILE = ROOT / "collector" / "slo" / "mita.yaml"


def _run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"MITA_SLO_FILE": "", **environment})


async def _never(*_: Any) -> Any:
    raise AssertionError("not asked for")


def _answer(path: str, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Return what the endpoint answers."""
    path, _, query = path.partition("?")
    endpoint = SloEndpoint(_never, Settings.read({"MITA_ADMIN_TOKEN": TOKEN}))
    scope = {"type": "http", "path": path, "method": "GET", "headers": headers, "query_string": query.encode()}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(endpoint(scope, _never, send))
    return sent[0]["status"], sent[1]["body"]


@contextmanager
def _serving() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            status, body = _answer(self.path, headers)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def objectives() -> Iterator[slo.Objectives]:
    made = slo.Objectives(slo.load(FILE))
    slo.use(made)
    yield made
    slo.use(None)


@pytest.fixture
def service(objectives: slo.Objectives) -> Iterator[str]:
    assert objectives.specification.slos
    with _serving() as url:
        yield url


def _requests(objectives: slo.Objectives, status: int, times: int) -> None:
    for _ in range(times):
        objectives.events.request("POST", "/api/transactions", status, 0.05)


def test_a_file_that_can_be_used_is_valid() -> None:
    result = _run("validate", str(FILE))
    assert (result.exit_code, result.stdout) == (0, f"{FILE}: 31 objectives, 1 indicators\n")


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text("kind: SLO")
    result = _run("validate", MITA_SLO_FILE=str(path))
    assert result.exit_code == 1
    assert f"{path}:1: apiVersion: field required" in result.stderr


def test_without_a_file_there_is_nothing_to_check() -> None:
    result = _run("validate")
    assert result.exit_code == 2
    assert "set MITA_SLO_FILE" in result.stderr


def test_rules_are_those_of_the_repository() -> None:
    made = yaml.safe_load(_run("rules", str(FILE)).stdout)
    assert made == yaml.safe_load((ROOT / "collector" / "prometheus" / "rules" / "slo.yml").read_text())


def test_a_status_is_what_the_service_tells(service: str, objectives: slo.Objectives) -> None:
    _requests(objectives, 200, 100)
    result = _run("status", "--url", service)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == ["healthy, by what process says of the process"]
    assert ["transactions-availability", "ok", "0.9999", "1.000000", "100.0%", "0.00", "normal"] in lines
    assert ["ocr-accuracy", "no_data", "0.95", "-", "-", "-", "-"] in lines
    assert json.loads(_run("status", "--url", service, "--json").stdout)["source"] == "process"


def test_a_gate_is_open_while_budgets_are_left(service: str, objectives: slo.Objectives) -> None:
    _requests(objectives, 200, 100)
    result = _run("gate", "--url", service)
    assert (result.exit_code, result.stdout) == (0, "open, by what process says of the process\n")


def test_a_spent_budget_stops_a_deployment(service: str, objectives: slo.Objectives) -> None:
    _requests(objectives, 200, 99)
    _requests(objectives, 500, 1)
    result = _run("gate", "--url", service, "--min-budget", "0.25", "--max-burn-1h", "6")
    assert result.exit_code == 1
    assert "transactions-availability: -9900.0% of its error budget is left, 25.0% is needed" in result.stdout
    assert "open" not in result.stdout


def test_what_is_not_known_stops_it_if_asked_to(service: str) -> None:
    assert _run("gate", "--url", service).exit_code == 0
    assert _run("gate", "--url", service, "--require-data").exit_code == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://service", "file:///etc/passwd"])
def test_a_service_that_does_not_tell_is_no_reason_to_go_on(url: str) -> None:
    result = _run("gate", "--url", url)
    assert result.exit_code == 2
    assert "does not tell" in result.stderr


def test_a_prometheus_that_does_not_answer_is_no_reason_to_go_on() -> None:
    words = ("gate", "--prometheus", "http://127.0.0.1:1", "--service", "shop")
    assert _run(*words, MITA_SLO_FILE=str(FILE)).exit_code == 2


def test_a_service_without_objectives_does_not_tell() -> None:
    with _serving() as url:
        assert _run("status", "--url", f"{url}/elsewhere").exit_code == 2


def test_what_spent_the_budgets_is_told_with_the_biggest_first(service: str, objectives: slo.Objectives) -> None:
    _requests(objectives, 200, 98)
    _requests(objectives, 500, 2)
    for _ in range(9):
        objectives.events.request("GET", "/api/goals", 503, 0.05)
    result = _run("explain", "service-availability", "--url", service, MITA_ADMIN_TOKEN=TOKEN)
    assert result.stdout.splitlines() == [
        "what spent the budgets, by what process says of the process",
        "",
        "service-availability: 10091.7% of the budget, 11 bad events of 109; 0% of 30d was watched",
        "  route        81.8%        9  /api/goals",
        "  route        18.2%        2  /api/transactions",
        "  error_type   81.8%        9  503",
        "  error_type   18.2%        2  500",
        "  dependency  100.0%       11  none",
        "  version     100.0%       11  none",
        "  flag        100.0%       11  none",
    ]
    whole = json.loads(_run("explain", "--url", service, "--json", MITA_ADMIN_TOKEN=TOKEN).stdout)
    assert {"service-availability", "transactions-availability"} <= {each["id"] for each in whole["slos"]}


def test_where_nothing_was_spent_that_is_said(service: str) -> None:
    result = _run("explain", "--url", service, MITA_ADMIN_TOKEN=TOKEN)
    assert (result.exit_code, result.stdout) == (0, "no budget was spent, by what process says of the process\n")


@pytest.mark.parametrize(
    ("words", "token", "sentence"),
    [
        (["service-availabilty"], TOKEN, "no objective is called 'service-availabilty': 'service-availability'?"),
        (["--window", "soon"], TOKEN, "'soon' is no duration"),
        ([], "", "set MITA_ADMIN_TOKEN"),
        ([], "w" * 20, "send Authorization: Bearer <MITA_ADMIN_TOKEN>"),
    ],
    ids=["another objective", "no window", "no token", "another token"],
)
def test_a_question_that_has_no_answer_is_told_why(service: str, words: list[str], token: str, sentence: str) -> None:
    result = _run("explain", *words, "--url", service, MITA_ADMIN_TOKEN=token)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_prometheus_that_does_not_answer_explains_nothing() -> None:
    words = ("explain", "--prometheus", "http://127.0.0.1:1", "--service", "shop")
    result = _run(*words, MITA_SLO_FILE=str(FILE))
    assert result.exit_code == 2
    assert "http://127.0.0.1:1 does not tell who spent the budgets" in result.stderr
