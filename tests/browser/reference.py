"""The reference service under instrumentation, its traffic, and a request of it that failed."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.console import Console
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ROOT, ServiceFactory, services

SERVICE = "mita-finance"
DURATION = "http.server.request.duration"
_SPENDING = {"amount": "12.50", "currency": "EUR", "category": "food"}


@dataclass(frozen=True, slots=True)
class Story:
    """What happened.

    Attributes:
        failed: trace id of a request that failed because a service it needs did.
        requests: how many were sent, sign-up included.
    """

    failed: str
    requests: int


def story_told(console: Console, folder: Path) -> Story:
    """Run the service and its stand-in, send requests, and end them with all their telemetry delivered."""
    with ExitStack() as stack:
        start = stack.enter_context(services(folder))
        standin = _standin(start, console)
        client = stack.enter_context(_client(_service(start, console, standin, folder)))
        user = {"email": "a@example.com", "password": "correct horse battery", "currency": "USD"}
        token = client.post("/api/auth/register", json=user).raise_for_status().json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        for _ in range(12):
            client.post("/api/transactions", json=_SPENDING).raise_for_status()
            client.get("/api/transactions?limit=5").raise_for_status()
            client.get("/api/insights").raise_for_status()
        client.get("/api/transactions/00000000-0000-0000-0000-000000000000")
        httpx.put(f"{standin}/behaviour", json={"error_rate": 1}).raise_for_status()
        answer = client.post("/api/transactions", json={**_SPENDING, "currency": "GBP"})
        assert answer.status_code == 503, answer.text
        failed = answer.headers["traceresponse"].split("-")[1]
        eventually(lambda: _is_complete(console, failed), timeout=30)
    return Story(failed, 39)


def _is_complete(console: Console, trace_id: str) -> Any:
    """Whether the spans of both services, log lines, metrics and their exemplars are there."""
    found = console.ask(f"console/traces/{trace_id}")
    lines = console.ask("console/logs", trace_id=trace_id)["records"]
    measured = {(exemplar["instrument"], exemplar["service"]) for exemplar in found["exemplars"]}
    names = {span["operationName"] for span in found["trace"]["spans"]}
    return {"POST /api/transactions", "GET"} <= names and (DURATION, SERVICE) in measured and lines


def _standin(start: ServiceFactory, console: Console) -> str:
    url = f"http://127.0.0.1:{find_free_port()}"
    command = ["opentelemetry-instrument", "python", "-m", "app.standin", "--port", url.rpartition(":")[2]]
    start(command, {**_telemetry(console, "rates-and-insights"), "PYTHONPATH": "."}, url=f"{url}/openapi.json")
    return url


def _service(start: ServiceFactory, console: Console, standin: str, folder: Path) -> str:
    url = f"http://127.0.0.1:{find_free_port()}"
    start(
        ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", url.rpartition(":")[2]],
        {
            **_telemetry(console, SERVICE),
            "DATABASE_URL": f"sqlite:///{folder / 'app.db'}",
            "RATES_API_URL": standin,
            "INSIGHTS_API_URL": standin,
            "JWT_SECRET": "s" * 40,
            "MITA_SLO_FILE": str(ROOT / "collector" / "slo" / "mita.yaml"),
            "PYTHONPATH": ".",
        },
        url=f"{url}/health",
    )
    return url


def _telemetry(console: Console, service: str) -> dict[str, str]:
    return {
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": console.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    }


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=10)
