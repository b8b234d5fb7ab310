"""A breaker of MITA Finance on the real stack: its state in Prometheus, and the way from a refusal to its cause."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from mita_otel.breakers import OPENAI, State
from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.fixtures.service import ServiceFactory
from tests.stack.finance import serve_finance

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def _series(stack: NativeStack, query: str) -> dict[str, float]:
    """The values of a query by their `state`, or by nothing."""
    found = httpx.get(f"{stack.endpoints.prometheus}/api/v1/query", params={"query": query}, timeout=30).json()
    return {series["metric"].get("state", ""): float(series["value"][1]) for series in found["data"]["result"]}


def _trace(stack: NativeStack, trace_id: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{stack.endpoints.jaeger}/api/traces/{trace_id}", timeout=30).json()["data"]
    return list(found[0]["spans"]) if found else []


def _lines(stack: NativeStack, query: str) -> list[str]:
    asked = {"query": query, "since": "1h"}
    found = httpx.get(f"{stack.endpoints.loki}/loki/api/v1/query_range", params=asked, timeout=30).json()
    return [line for stream in found["data"]["result"] for _, line in stream["values"]]


def test_an_open_breaker_is_seen_in_prometheus_and_leads_from_jaeger_to_the_traces_that_opened_it(
    stack: NativeStack, start_service: ServiceFactory, redis_url: str, postgres_url: str
) -> None:
    name, url, external = serve_finance(stack, start_service, postgres_url, REDIS_URL=redis_url)
    mine = f'service_name="{name}", service="openai"'
    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        token = client.post("/api/auth/register", json=user).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        httpx.put(f"{external}/behaviour", json={"error_rate": 1})
        closed = {state.value: float(state is State.CLOSED) for state in State}
        eventually(lambda: _series(stack, f"mita_circuit_breaker_state{{{mine}}}") == closed, timeout=60)

        answers = [client.get("/api/insights", headers=headers) for _ in range(OPENAI.policy.failure_threshold + 1)]

    assert [answer.headers["x-degraded"] for answer in answers] == ["ai_insights;mode=generic"] * 4
    *failed, refused = [answer.headers["traceresponse"].split("-")[1] for answer in answers]
    opened = {state.value: float(state is State.OPEN) for state in State}
    eventually(lambda: _series(stack, f"mita_circuit_breaker_state{{{mine}}}") == opened, timeout=60)
    assert _series(stack, f"mita_circuit_breaker_failures_total{{{mine}}}") == {"": 3}
    requests = _series(stack, f"mita_circuit_breaker_requests_total{{{mine}}}")
    assert {state: count for state, count in requests.items() if count} == {"closed": 3, "open": 1}
    changes = _series(stack, f'mita_circuit_breaker_transitions_total{{{mine}, from="closed", reason="failures"}}')
    assert changes == {"": 1}
    assert _series(stack, f"increase(mita_circuit_breaker_failures_total{{{mine}}}[5m] anchored)") == {"": 3}

    spans = eventually(lambda: _trace(stack, refused), timeout=30)
    links = {reference["traceID"] for span in spans for reference in span["references"]} - {refused}
    assert links == set(failed)
    (server,) = [span for span in spans if span["operationName"] == "GET /api/insights"]
    tags = {tag["key"]: tag["value"] for tag in server["tags"]}
    assert (tags["circuit_breaker.name"], tags["circuit_breaker.outcome"]) == ("openai", "rejected")
    lines = f'{{service_name="{name}"}} |= "circuit breaker openai: closed -> open (failures)"'
    assert len(eventually(lambda: _lines(stack, lines), timeout=30)) == 1
