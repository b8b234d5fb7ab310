"""Retries and deadlines of MITA Finance on the real stack: counted in Prometheus, and seen in Jaeger."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.fixtures.service import ServiceFactory
from tests.stack.finance import serve_finance

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

EURO = {"amount": "12.50", "category": "food", "currency": "EUR"}


def _series(stack: NativeStack, query: str, label: str) -> dict[str, float]:
    """The values of a query by a label, without zeros."""
    found = httpx.get(f"{stack.endpoints.prometheus}/api/v1/query", params={"query": query}, timeout=30).json()
    values = {each["metric"].get(label, ""): float(each["value"][1]) for each in found["data"]["result"]}
    return {name: value for name, value in values.items() if value}


def _become(stack: NativeStack, query: str, label: str, expected: dict[str, float]) -> None:
    """Wait until a query has these values, and no other."""

    def compare() -> bool:
        assert _series(stack, query, label) == expected
        return True

    eventually(compare, timeout=60)


def _spans(stack: NativeStack, trace_id: str) -> dict[str, dict[str, Any]]:
    """The tags of a trace's spans by their names; empty until the SERVER span is there."""
    found = httpx.get(f"{stack.endpoints.jaeger}/api/traces/{trace_id}", timeout=30).json()["data"]
    spans = found[0]["spans"] if found else []
    tags = {span["operationName"]: {tag["key"]: tag["value"] for tag in span["tags"]} for span in spans}
    return tags if any(each.get("span.kind") == "server" for each in tags.values()) else {}


async def _ask_for_what_is_locked(database: str, url: str, headers: dict[str, str]) -> tuple[float, httpx.Response]:
    """Ask for transactions within two seconds while their table is locked; return how long that took."""
    operator = await asyncpg.connect(database)
    async with operator.transaction():
        await operator.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
        async with httpx.AsyncClient(timeout=30) as client:
            began = time.monotonic()
            answer = await client.get(url, headers={**headers, "x-request-timeout": "2s"})
            took = time.monotonic() - began
    await operator.close()
    return took, answer


def test_a_lock_and_a_failing_api_are_seen_in_prometheus_and_jaeger(
    stack: NativeStack, start_service: ServiceFactory, postgres_url: str
) -> None:
    name, url, external = serve_finance(stack, start_service, postgres_url)
    mine = f'service_name="{name}"'
    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        headers = {"authorization": f"Bearer {client.post('/api/auth/register', json=user).json()['access_token']}"}
        # From zeros on: a first increase that no one saw begin is none to Prometheus.
        calls = f'count by (dependency) (mita_retry_calls_total{{{mine}, dependency="rates"}})'
        eventually(lambda: _series(stack, calls, "dependency"), timeout=60)
        httpx.put(f"{external}/behaviour", json={"error_rate": 1})
        assert client.post("/api/transactions", json=EURO, headers=headers).status_code == 503
        locked = _ask_for_what_is_locked(postgres_url, f"{url}/api/transactions", headers)
        took, late = asyncio.run(locked)
    assert late.status_code == 504
    assert took < 4.0

    rates = f'{mine}, dependency="rates"'
    _become(stack, f"mita_retry_attempts_total{{{rates}}}", "outcome", {"failure": 3})
    assert _series(stack, f"mita_retry_calls_total{{{rates}}}", "dependency") == {"rates": 1}
    assert _series(stack, f"mita_retry_exhausted_total{{{rates}}}", "reason") == {"attempts": 1}
    _become(stack, f"mita_timeouts_total{{{mine}}}", "scope", {"request": 1, "database": 1})
    amplification = f"mita_retry_amplification{{{rates}}}"
    eventually(lambda: _series(stack, amplification, "dependency").get("rates", 0) > 1, timeout=90)

    spans = eventually(lambda: _spans(stack, late.headers["traceresponse"].split("-")[1]), timeout=30)
    server = spans["GET /api/transactions"]
    assert (server["http.response.status_code"], server["error.type"]) == (504, "timeout")
    assert server["mita.deadline.source"] == "x-request-timeout"
    # Ended by the server, or cancelled if that was too busy to be in time.
    [ended] = [tags for tags in spans.values() if tags.get("db.system.name") == "postgresql" and "error.type" in tags]
    assert ended["error.type"] in {"asyncpg.exceptions.QueryCanceledError", "timeout"}
