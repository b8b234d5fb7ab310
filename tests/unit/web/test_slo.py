"""`GET /slo/status`: anybody is told, nobody waits."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mita_otel import slo
from mita_otel.settings import Settings
from mita_otel.slo.ledger.prometheus import Asked
from mita_otel.web.slo import SloEndpoint
from tests.fixtures.service import ROOT


class Answer:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]


@pytest.fixture
def objectives() -> Iterator[slo.Objectives]:
    made = slo.Objectives(slo.load(ROOT / "collector" / "slo" / "mita.yaml"))
    slo.use(made)
    yield made
    slo.use(None)


async def _ask(path: str = "/slo/status", method: str = "GET", **scope: Any) -> Answer:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"the application"})

    async def receive() -> Any:
        raise AssertionError("the body is nobody's business")

    answer = Answer()
    asked = {"type": "http", "path": path, "method": method, "headers": [], **scope}
    await SloEndpoint(application)(asked, receive, answer.send)
    return answer


async def test_all_objectives_are_told(objectives: slo.Objectives) -> None:
    objectives.events.request("GET", "/api/budgets/dashboard", 200, 0.1)
    answer = await _ask()
    told = json.loads(answer.body)
    assert (answer.status, answer.headers[b"content-type"]) == (200, b"application/json")
    assert len(told["slos"]) == 31
    assert {"source", "scope", "coverage", "watermark"} <= told.keys()
    assert told["availability"]["total_requests"] == 1


async def test_what_is_not_known_is_null_and_never_nan(objectives: slo.Objectives) -> None:
    told = json.loads((await _ask()).body, parse_constant=pytest.fail)
    assert {each["state"] for each in told["slos"]} == {"no_data"}
    assert {each["sli"] for each in told["slos"]} == {None}
    assert told["availability"]["current"] is None
    assert objectives.totals()["service-availability"] == (0, 0)


async def test_a_process_without_objectives_leaves_the_path_to_the_application() -> None:
    assert (await _ask()).body == b"the application"


async def test_other_paths_are_the_applications(objectives: slo.Objectives) -> None:
    assert objectives.specification.slos
    assert (await _ask("/slo")).body == b"the application"


async def test_it_is_found_below_a_root_path(objectives: slo.Objectives) -> None:
    assert objectives.specification.slos
    assert (await _ask("/shop/slo/status", root_path="/shop")).status == 200


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 405), ("DELETE", 405)])
async def test_it_is_for_reading(objectives: slo.Objectives, method: str, status: int) -> None:
    assert objectives.specification.slos
    answer = await _ask(method=method)
    assert answer.status == status
    assert (answer.body == b"") is (method == "HEAD")


async def test_a_fault_of_ours_is_an_answer(objectives: slo.Objectives, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(type(objectives), "report", fail)
    assert (await _ask()).status == 503


async def test_an_answer_takes_less_than_ten_milliseconds(objectives: slo.Objectives) -> None:
    for _ in range(100):
        objectives.events.request("GET", "/api/budgets/dashboard", 200, 0.1)
    times = []
    for _ in range(9):
        began = time.perf_counter()
        await _ask()
        times.append(time.perf_counter() - began)
    assert sorted(times)[4] < 0.01


TOKEN = "t" * 20
ADMINISTRATOR = [(b"authorization", f"Bearer {TOKEN}".encode())]


async def _explain(query: str = "", method: str = "GET", headers: Any = ADMINISTRATOR, token: str = TOKEN) -> Answer:
    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"the application"})

    asked = {
        "type": "http",
        "path": "/slo/explain",
        "method": method,
        "headers": headers,
        "query_string": query.encode(),
    }
    answer = Answer()
    endpoint = SloEndpoint(application, Settings.read({"MITA_ADMIN_TOKEN": token}))
    await endpoint(asked, None, answer.send)  # type: ignore[arg-type] # the body is nobody's business
    return answer


async def test_an_administrator_is_told_who_spent_the_budgets(objectives: slo.Objectives) -> None:
    objectives.events.request("POST", "/api/transactions", 500, 0.1)
    told = json.loads((await _explain("slo=transactions-availability&window=6h")).body)
    [only] = told["slos"]
    assert (only["id"], only["window"]["period"]) == ("transactions-availability", "6h")
    assert only["contributors"]["route"][0]["contributor"] == "/api/transactions"


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("slo=transactions", 404, "no objective is called 'transactions': 'transactions-"),
        ("window=soon", 400, "'soon' is no duration"),
        ("window=99d", 400, "'99d' is too long"),
    ],
)
async def test_a_question_that_has_no_answer_is_told_why(
    objectives: slo.Objectives, query: str, status: int, sentence: str
) -> None:
    assert objectives.specification.slos
    answer = await _explain(query)
    assert answer.status == status
    assert json.loads(answer.body)["error"].startswith(sentence)


async def test_others_are_not_told_who_spent_the_budgets(objectives: slo.Objectives) -> None:
    assert objectives.specification.slos
    answer = await _explain(headers=[(b"authorization", b"Bearer guessed")])
    assert (answer.status, answer.headers[b"www-authenticate"]) == (401, b"Bearer")
    assert (await _explain(headers=[])).status == 401
    assert (await _explain(method="POST")).status == 405


async def test_without_a_token_the_path_is_the_applications(objectives: slo.Objectives) -> None:
    assert objectives.specification.slos
    assert (await _explain(token="")).body == b"the application"


async def test_a_prometheus_that_does_not_answer_leaves_what_the_process_knows(
    objectives: slo.Objectives, caplog: pytest.LogCaptureFixture
) -> None:
    objectives.asked = Asked("http://127.0.0.1:1", "finance")
    objectives.events.request("POST", "/api/transactions", 500, 0.1)
    told = json.loads((await _explain()).body)
    assert (told["source"], len(told["slos"]) > 0) == ("process", True)
    assert "Prometheus does not tell who spent the budgets" in caplog.text
