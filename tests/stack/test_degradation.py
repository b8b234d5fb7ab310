"""A feature whose dependency is away: its users get less and are told, and everyone who looks after it sees it."""

from uuid import uuid4

import httpx
import pytest

from mita_otel.breakers import OPENAI
from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.fixtures.service import ServiceFactory
from tests.fixtures.soak import SOAK
from tests.stack.finance import serve_finance

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_insights_go_down_the_ladder_and_are_seen_everywhere(
    stack: NativeStack, start_service: ServiceFactory, postgres_url: str, redis_url: str
) -> None:
    name, url, external = serve_finance(stack, start_service, postgres_url, REDIS_URL=redis_url)

    def active() -> set[str]:
        query = f'mita_degradation_active{{service_name="{name}", feature="ai_insights"}} == 1'
        found = httpx.get(f"{stack.endpoints.prometheus}/api/v1/query", params={"query": query}).json()
        return {row["metric"]["mode"] for row in found["data"]["result"]}

    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        token = client.post("/api/auth/register", json=user).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"

        def insights(month: str = "2026-01") -> httpx.Response:
            answer = client.get("/api/insights", params={"month": month})
            assert answer.status_code == 200
            return answer

        assert "x-degraded" not in insights().headers
        eventually(lambda: active() == {"full"}, timeout=60)
        httpx.put(f"{external}/behaviour", json={"error_rate": 1})
        for _ in range(OPENAI.policy.failure_threshold):
            assert insights().headers["x-degraded"].startswith("ai_insights;mode=cached;age=")
        eventually(lambda: active() == {"cached"}, timeout=60)
        refused = insights("2026-02")
        assert refused.headers["x-degraded"] == "ai_insights;mode=generic"
        eventually(lambda: active() == {"generic"}, timeout=60)
        trace_id = refused.headers["traceresponse"].split("-")[1]
        tags = eventually(lambda: _tags(stack, trace_id), timeout=30)
        assert (tags["mita.degraded.mode"], tags["mita.degraded.cause"]) == ("generic", "circuit_open")
        assert client.get("/api/transactions").status_code == 200
        if SOAK:  # the breaker leaves the model alone for a minute
            httpx.put(f"{external}/behaviour", json={})
            eventually(lambda: "x-degraded" not in insights().headers, timeout=90, interval=1)
            eventually(lambda: active() == {"full"}, timeout=60)


def _tags(stack: NativeStack, trace_id: str) -> dict[str, str]:
    """Return the tags of the request's span; nothing while Jaeger has none."""
    answer = httpx.get(f"{stack.endpoints.jaeger}/api/traces/{trace_id}")
    traces = answer.json()["data"] or [] if answer.status_code == 200 else []
    spans = [span for trace in traces for span in trace["spans"] if span["operationName"] == "GET /api/insights"]
    return {tag["key"]: tag["value"] for span in spans for tag in span["tags"]}
