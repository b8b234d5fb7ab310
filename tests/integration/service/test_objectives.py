"""A service that promises something, as a real process: counted, delivered, told of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.unit.slo import openslo

APPLICATION = """
from fastapi import FastAPI
from mita_otel import slo
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
"""


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


@pytest.fixture
def service(folder: Path, start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver) -> httpx.Client:
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
        },
    )
    url = f"http://127.0.0.1:{port}"
    process.wait_until_it_answers(f"{url}/health")
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
    service: httpx.Client, otlp_receiver: OtlpReceiver
) -> None:
    with service:
        zeros = dict.fromkeys(
            [(name, outcome) for name in ("orders-availability", "orders-even") for outcome in ("good", "bad")], 0
        )
        assert eventually(lambda: _counted(otlp_receiver) == zeros)
        for number in (1, 2, 4, 13):
            assert service.get(f"/orders/{number}").status_code == (500 if number == 13 else 200)
        # A judgement holds for a second.
        told = eventually(lambda: _complete(service.get("/slo/status").json()))
        assert (told["source"], told["scope"], told["overall_state"]) == ("process", "process", "exhausted")
        expected = {("orders-availability", "good"): 3, ("orders-availability", "bad"): 1}
        assert eventually(lambda: expected.items() <= _counted(otlp_receiver).items())
