"""A service that promises something, as a real process: counted, delivered, told of."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess, clean_environment
from tests.unit.slo import openslo

APPLICATION = """
import httpx
from fastapi import APIRouter, FastAPI
from mita_otel import slo
from mita_otel.degradation import is_on
from mita_otel.web.slo import SloEndpoint

app = FastAPI()
app.add_middleware(SloEndpoint)

@app.get("/health")
async def health(): return "ok"

@app.get("/orders/{number}")
async def order(number: int):
    if number == 13:
        raise RuntimeError
    slo.event("orders", good=number % 2 == 0)
    return number

prices = APIRouter()

@prices.get("/price")
async def price(number: int):
    is_on("prices")
    try:
        httpx.get("http://127.0.0.1:9/")
    except httpx.ConnectError:
        slo.event("orders", good=False)
        raise

app.include_router(prices, prefix="/orders/{number}")
"""
TOKEN = "t" * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "promising.py").write_text(APPLICATION)
    documents = [
        openslo.service(),
        openslo.slo("orders-availability"),
        openslo.slo("orders-even", about="correctness", ratio=openslo.EVENTS),
    ]
    (tmp_path / "slo.yaml").write_text(openslo.text(*documents))
    return tmp_path


Begin = Callable[..., tuple[ServiceProcess, str]]


@pytest.fixture
def begin(folder: Path, start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver) -> Begin:
    """Start the service; its Prometheus is away."""

    def start(**variables: str) -> tuple[ServiceProcess, str]:
        port = find_free_port()
        process = start_service(
            ["opentelemetry-instrument", "uvicorn", "promising:app", "--port", str(port), "--app-dir", str(folder)],
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
                "OTEL_METRIC_EXPORT_INTERVAL": "500",
                "OTEL_SERVICE_NAME": "shop",
                "MITA_STRICT": "1",
                "MITA_SLO_FILE": str(folder / "slo.yaml"),
                "MITA_PROMETHEUS_URL": f"http://127.0.0.1:{find_free_port()}",
                **variables,
            },
        )
        url = f"http://127.0.0.1:{port}"
        process.wait_until_it_answers(f"{url}/health")
        return process, url

    return start


@pytest.fixture(params=["ours", "native"])
def service(request: pytest.FixtureRequest, begin: Begin) -> Iterator[tuple[ServiceProcess, httpx.Client]]:
    process, url = begin(
        OTEL_RESOURCE_ATTRIBUTES="service.version=1.2",
        MITA_SERVER_PATH=request.param,
        MITA_ADMIN_TOKEN=TOKEN,
        MITA_TRACE_URL="http://jaeger/trace/{trace_id}",
    )
    with _client(url) as client:
        yield process, client


def _client(url: str) -> httpx.Client:
    # uvicorn ends the connection on which an exception left the application.
    return httpx.Client(base_url=url, timeout=10, headers={"connection": "close"})


def _counted(receiver: OtlpReceiver) -> dict[tuple[str, str], int]:
    """Return the events that were delivered last."""
    points = receiver.latest_points("mita.slo.events")
    return {(point["attributes"]["slo"], point["attributes"]["outcome"]): int(point["value"]) for point in points}


def _complete(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was told once it tells of all requests and events; nothing before."""
    counts = {each["id"]: (each["good"], each["bad"]) for each in told["slos"]}
    return told if counts == {"orders-availability": (3, 1), "orders-even": (2, 1)} else {}


def test_requests_and_events_are_told_and_delivered_with_zeros_before_them(
    service: tuple[ServiceProcess, httpx.Client], otlp_receiver: OtlpReceiver
) -> None:
    process, client = service
    zeros = dict.fromkeys(
        [(name, outcome) for name in ("orders-availability", "orders-even") for outcome in ("good", "bad")], 0
    )
    assert eventually(lambda: _counted(otlp_receiver) == zeros)
    for number in (1, 2, 4, 13):
        assert client.get(f"/orders/{number}").status_code == (500 if number == 13 else 200)
    # A judgement holds for a second.
    told = eventually(lambda: _complete(client.get("/slo/status").json()))
    assert (told["source"], told["scope"], told["overall_state"]) == ("process", "process", "exhausted")
    expected = {("orders-availability", "good"): 3, ("orders-availability", "bad"): 1}
    assert eventually(lambda: expected.items() <= _counted(otlp_receiver).items())
    _explained(client, otlp_receiver)
    process.terminate()
    process.wait()
    # To Prometheus contributors begin with a zero, but at the end, when no other collection would come.
    assert _spent(otlp_receiver)["orders-availability", "dependency"] == {"none": 1, "127.0.0.1": 1}
    assert _spent(otlp_receiver)["orders-even", "error_type"] == {"orders": 1, "ConnectError": 1}


def _spent(receiver: OtlpReceiver) -> dict[tuple[str, str], dict[str, int]]:
    """Return what was delivered last of who spent the budgets, by objective and dimension."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for point in receiver.latest_points("mita.slo.spent"):
        slo, dimension, contributor = (point["attributes"][name] for name in ("slo", "dimension", "contributor"))
        found.setdefault((slo, dimension), {})[contributor] = int(point["value"])
    return found


def _explained(client: httpx.Client, receiver: OtlpReceiver) -> None:
    """Let a request fail by a dependency, and ask who spent the budgets."""
    assert eventually(lambda: _spent(receiver)["orders-availability", "error_type"] == {"RuntimeError": 1})
    traceparent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    assert client.get("/orders/7/price", headers={"traceparent": traceparent}).status_code == 500
    assert client.get("/slo/explain").status_code == 401
    told = client.get("/slo/explain?window=1h", headers={"authorization": f"Bearer {TOKEN}"}).json()
    explained = {each["id"]: each["contributors"] for each in told["slos"]}
    price = max(explained["orders-availability"]["route"], key=lambda each: len(each["contributor"]))
    assert (price["contributor"], price["share"]) == ("/orders/{number}/price", 0.5)
    assert [trace["url"] for trace in price["traces"]] == [f"http://jaeger/trace/{'ab' * 16}"]
    # The event was told within the request: it has what the request has.
    for name in ("orders-availability", "orders-even"):
        # As OpenFeature says where nobody has set a provider.
        assert {each["contributor"] for each in explained[name]["flag"]} == {"none", "prices=Passed in default"}
        assert {each["contributor"] for each in explained[name]["dependency"]} == {"none", "127.0.0.1"}
        assert [each["contributor"] for each in explained[name]["version"]] == ["1.2"]


def _of_all(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was told once it is of all replicas; nothing before."""
    return told if told["source"] == "redis" else {}


def _deployed(url: str, mark: Path) -> bool:
    """Run a pipeline that deploys if it may; return whether it did."""
    pipeline = f'set -e; mita-otel slo gate --url "{url}" --min-budget 0.25; touch "{mark}"'
    done = subprocess.run(
        ["sh", "-c", pipeline], env=clean_environment({}), capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is mark.exists(), done.stderr
    return mark.exists()


def test_a_spent_budget_outlives_the_process_that_spent_it_and_keeps_the_next_deployment(
    begin: Begin, redis_url: str, tmp_path: Path
) -> None:
    first, url = begin(MITA_SLO_REDIS_URL=redis_url)
    assert _deployed(url, tmp_path / "first")
    with _client(url) as client:
        for number in (1, 13, 13):
            client.get(f"/orders/{number}")
    first.terminate()
    first.wait()
    _, url = begin(MITA_SLO_REDIS_URL=redis_url)
    with _client(url) as client:
        told = eventually(lambda: _of_all(client.get("/slo/status").json()))
    availability = next(each for each in told["slos"] if each["id"] == "orders-availability")
    # Prometheus does not answer: it is told by the next one, of all replicas and of the one that is gone.
    assert (told["scope"], told["replicas"]) == ("service", {"reporting": 1, "missing": 0})
    assert (availability["good"], availability["bad"], availability["state"]) == (1, 2, "exhausted")
    assert not _deployed(url, tmp_path / "second")
