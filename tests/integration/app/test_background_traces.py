"""What is done in the background is a trace of its own that points to the requests that caused it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess

CONSUMER, SERVER = 5, 2
MONTH = f"{datetime.now(UTC):%Y-%m}"


@pytest.fixture
def service(
    postgres_backend: dict[str, Any],
    shared_standin: str,
    otlp_receiver: OtlpReceiver,
    start_service: Callable[..., ServiceProcess],
) -> str:
    port = find_free_port()
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
        "OTEL_SERVICE_NAME": "finance",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "MITA_STRICT": "1",
        "DATABASE_URL": postgres_backend["database_url"],
        "REDIS_URL": postgres_backend["redis_url"],
        "MESSAGES_API_URL": shared_standin,
        "JWT_SECRET": "s" * 40,
        "BACKGROUND_SECONDS": "0.2",
        "PYTHONPATH": ".",
    }
    start_service(
        ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", str(port)],
        environment,
        url=f"http://127.0.0.1:{port}/health",
    )
    return f"http://127.0.0.1:{port}"


def test_a_notification_leads_back_to_the_request_that_caused_it(
    service: str, otlp_receiver: OtlpReceiver, eventually: Callable[..., Any]
) -> None:
    with httpx.Client(base_url=service) as client:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse"}
        token = client.post("/api/auth/register", json=user).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        budget = {"month": MONTH, "category": "food", "limit": "10"}
        client.put("/api/budgets", json=budget, headers=headers)
        answer = client.post("/api/transactions", json={"amount": "50", "category": "food"}, headers=headers)
        cause = answer.headers["traceresponse"].split("-")[1]

    def work(name: str) -> list[dict[str, Any]]:
        found = [span for span in otlp_receiver.spans if span["name"] == name]
        return [span for span in found if cause in {link["trace_id"] for link in span["links"]}]

    # On a busy machine one may have to be tried again.
    delivery = eventually(lambda: work("notification delivery"), timeout=30)[0]
    summed = eventually(lambda: work("spending changed"), timeout=30)[0]
    for span in (delivery, summed):
        assert (span["kind"], span["parent_span_id"]) == (CONSUMER, "")
        assert span["trace_id"] != cause
    request = eventually(
        lambda: [span for span in otlp_receiver.spans if span["trace_id"] == cause and span["kind"] == SERVER],
        timeout=30,
    )[0]
    assert request["span_id"] in {link["span_id"] for link in delivery["links"]}

    def inside() -> set[str]:
        children = [span for span in otlp_receiver.spans if span["parent_span_id"] == delivery["span_id"]]
        return {span["name"].split(" ")[0] for span in children}

    assert eventually(lambda: inside() >= {"POST", "SELECT", "UPDATE"}, timeout=30)


def test_looking_for_work_where_there_is_none_leaves_no_trace(
    service: str, otlp_receiver: OtlpReceiver, eventually: Callable[..., Any]
) -> None:
    """In the time of this test the workers look dozens of times."""
    with httpx.Client(base_url=service) as client:
        for _ in range(3):
            client.post("/api/auth/login", json={"email": "nobody@example.com", "password": "correct horse"})
        last = client.get("/api/users/me").headers["traceresponse"].split("-")[1]
    eventually(lambda: last in {span["trace_id"] for span in otlp_receiver.spans}, timeout=30)
    roots = [span for span in otlp_receiver.spans if not span["parent_span_id"]]
    assert {span["kind"] for span in roots} == {SERVER}, {span["name"] for span in roots}
