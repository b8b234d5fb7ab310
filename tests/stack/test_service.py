"""The reference service on the real stack: one request found in Jaeger, Loki and Prometheus by its trace id."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.load import load
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.fixtures.soak import SOAK

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Finance:
    """MITA Finance under `opentelemetry-instrument`, a client of it, and the backends' query APIs."""

    name: str
    process: ServiceProcess
    client: httpx.Client
    stack: NativeStack
    external: str
    """The stand-in for the services that are not its own."""

    def sign_up(self) -> dict[str, str]:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        answer = self.client.post("/api/auth/register", json=user)
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    def traces(self, **query: str) -> list[dict[str, Any]]:
        asked = {"service": self.name, "limit": "1500", "lookback": "1h", **query}
        found = httpx.get(f"{self.stack.endpoints.jaeger}/api/traces", params=asked, timeout=30).json()["data"]
        return list(found or [])

    def lines(self, query: str) -> list[str]:
        asked = {"query": query, "limit": "5000", "since": "1h"}
        found = httpx.get(f"{self.stack.endpoints.loki}/loki/api/v1/query_range", params=asked, timeout=30).json()
        return [line for stream in found["data"]["result"] for _, line in stream["values"]]

    def count(self, query: str) -> float:
        found = httpx.get(f"{self.stack.endpoints.prometheus}/api/v1/query", params={"query": query}, timeout=30)
        return sum(float(series["value"][1]) for series in found.json()["data"]["result"])

    def exemplars(self, query: str) -> set[str]:
        now = time.time()
        asked = {"query": query, "start": str(now - 600), "end": str(now + 60)}
        found = httpx.get(f"{self.stack.endpoints.prometheus}/api/v1/query_exemplars", params=asked).json()
        return {exemplar["labels"]["trace_id"] for series in found["data"] for exemplar in series["exemplars"]}


@pytest.fixture
def finance(
    stack: NativeStack, start_service: Callable[..., ServiceProcess], postgres_url: str, redis_url: str
) -> Iterator[Finance]:
    stack.up(standard=False)
    standin, port, name = find_free_port(), find_free_port(), f"finance-{uuid4().hex[:8]}"
    external = f"http://127.0.0.1:{standin}"
    start_service([sys.executable, "-m", "app.standin", "--port", str(standin)], {"PYTHONPATH": "."})
    process = start_service(
        ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", str(port)],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": name,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "MITA_STRICT": "1",
            "DATABASE_URL": postgres_url,
            "REDIS_URL": redis_url,
            "RATES_API_URL": external,
            "INSIGHTS_API_URL": external,
            "MIGRATE_ON_START": "true",
            "JWT_SECRET": "s" * 40,
            "PYTHONPATH": ".",
        },
    )
    process.wait_until_it_answers(f"http://127.0.0.1:{port}/health")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield Finance(name, process, client, stack, external)


def _span_tree(trace: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Return (kind, name, parent's name) of each span in the order of their starts."""
    names = {span["spanID"]: span["operationName"] for span in trace["spans"]}
    return [
        (
            next(str(tag["value"]) for tag in span["tags"] if tag["key"] == "span.kind"),
            span["operationName"],
            next((names.get(reference["spanID"]) for reference in span["references"]), None),
        )
        for span in sorted(trace["spans"], key=lambda span: span["startTime"])
    ]


def test_one_request_is_one_trace_in_jaeger_its_lines_in_loki_and_a_count_with_its_exemplar_in_prometheus(
    finance: Finance,
) -> None:
    headers = {**finance.sign_up(), "x-correlation-id": f"order-{uuid4().hex}"}
    spent = {"amount": "100", "currency": "EUR", "category": "food"}
    assert finance.client.post("/api/transactions", json=spent, headers=headers).status_code == 201
    correlation_id = headers["x-correlation-id"]

    (trace,) = eventually(lambda: finance.traces(tags=f'{{"correlation_id":"{correlation_id}"}}'), timeout=30)
    server = "POST /api/transactions"
    assert _span_tree(trace) == [
        ("server", server, None),
        ("client", "GET", server),
        ("client", "GET", server),
        ("client", "SET", server),
        ("client", "INSERT transactions", server),
        ("client", "INSERT jobs", server),
        ("client", "UNLINK", server),
    ]
    by_route = finance.traces(tags='{"http.route":"/api/transactions"}')
    assert [found["traceID"] for found in by_route] == [trace["traceID"]]

    selector = f'{{service_name="{finance.name}"}} | trace_id="{trace["traceID"]}"'
    lines = eventually(lambda: _at_least(2, finance.lines(selector)), timeout=30)
    assert any("transaction created" in line for line in lines)
    assert any('"POST /api/transactions HTTP/1.1" 201' in line for line in lines)

    counted = (
        f'http_server_request_duration_seconds_count{{service_name="{finance.name}",http_route="/api/transactions"}}'
    )
    assert eventually(lambda: finance.count(counted), timeout=30) == 1
    buckets = counted.replace("_count{", "_bucket{")
    assert eventually(lambda: finance.exemplars(buckets), timeout=30) == {trace["traceID"]}


def test_the_reports_series_are_derived_from_the_standard_ones(finance: Finance) -> None:
    headers = finance.sign_up()
    for _ in range(3):
        assert finance.client.get("/api/users/me", headers=headers).status_code == 200
    mine = f'service_name="{finance.name}"'
    counted = f'mita_http_requests_total{{{mine}, method="GET", endpoint="/api/users/me", status="200"}}'
    assert eventually(lambda: finance.count(counted) == 3, timeout=60)
    bucket = f'mita_http_request_duration_seconds_bucket{{{mine}, endpoint="/api/users/me", le="+Inf"}}'
    assert eventually(lambda: finance.count(bucket) == 3, timeout=60)
    inserts = f'mita_database_queries_total{{{mine}, query_type="INSERT", db_system_name="postgresql"}}'
    idle = f'mita_database_connections_idle{{{mine}, db_system_name="postgresql"}}'
    for derived in (inserts, idle):
        assert eventually(lambda: finance.count(derived) > 0, timeout=60)  # noqa: B023 - called before the next turn
    assert finance.count(f"mita_error_rate{{{mine}}}") == 0


def test_a_failing_request_is_found_by_its_error(finance: Finance) -> None:
    headers = finance.sign_up()
    finance.client.put(f"{finance.external}/behaviour", json={"error_rate": 1})
    pounds = {"amount": "5", "currency": "GBP", "category": "food"}
    answer = finance.client.post("/api/transactions", json=pounds, headers=headers)
    assert answer.status_code == 503

    def failed() -> set[str]:
        found = finance.traces(tags='{"error":"true"}')
        return {span["operationName"] for trace in found for span in trace["spans"]}

    eventually(lambda: failed() >= {"POST /api/transactions", "GET"}, timeout=30)
    error_id = answer.headers["x-error-id"]
    (trace,) = eventually(lambda: finance.traces(tags=f'{{"mita.error.id":"{error_id}"}}'), timeout=30)
    assert trace["traceID"] == answer.json()["trace_id"]
    told = f'{{service_name="{finance.name}"}} | mita_error_id="{error_id}"'
    assert eventually(lambda: finance.lines(told), timeout=30) == ["RATES_UNAVAILABLE: HTTPStatusError"]


RATES = {"/api/transactions/categories": 205, "/api/transactions": 15}
"""Requests a second by route: the first costs so little that two busy cores keep up, the second asks the database."""


Found = TypeVar("Found", list[str], set[str])

AWAY = 30 if SOAK else 10
"""Seconds without a collector: ten are an attempt that fails and several that are put off, longer and longer."""


@pytest.mark.soak
def test_a_collector_away_at_200_requests_a_second_and_killed_under_load_loses_nothing(
    finance: Finance,
) -> None:
    """Nothing that was answered is missing afterwards, and no measurement is counted twice.

    Lines and spans of a payload whose answer was lost with the collector are delivered again, as they were. What Loki
    has filed in a block that is full by then it keeps twice: so lines are counted by their nanosecond, spans by their
    id.
    """
    began = time.time()
    headers = [f"authorization: {finance.sign_up()['authorization']}"]
    with ExitStack() as stack:
        loads = {
            route: stack.enter_context(load(f"{finance.client.base_url}{route}", rate, headers=headers))
            for route, rate in RATES.items()
        }

        def answered() -> int:
            return sum(each.counts.answered for each in loads.values())

        eventually(lambda: answered() > 600, timeout=30)
        before, gone_at = answered(), time.monotonic()
        finance.stack.kill("otelcol")
        eventually(lambda: time.monotonic() > gone_at + AWAY, timeout=AWAY + 10)
        rate = (answered() - before) / (time.monotonic() - gone_at)
        finance.stack.start("otelcol")
        back = answered()
        eventually(lambda: answered() > back + 600, timeout=30)
        finance.stack.kill("otelcol")
        finance.stack.start("otelcol")
        sent = {route: each.stop() for route, each in loads.items()}
    finance.process.terminate()
    assert finance.process.wait(20) == -signal.SIGTERM
    assert rate >= (200 if SOAK else 100)
    for route, counts in sent.items():
        assert (counts.failed, counts.unknown) == (0, 0)
        _assert_all_arrived(finance, route, counts.answered, began)


def _assert_all_arrived(finance: Finance, route: str, answered: int, began: float) -> None:
    """Each answer was measured once, was written down, and is in a span of its own."""
    selector = f'{{service_name="{finance.name}",http_route="{route}"}}'
    counted = f"last_over_time(http_server_request_duration_seconds_count{selector}[10m])"
    logged = f'{{service_name="{finance.name}"}} |= "GET {route} HTTP"'
    eventually(lambda: finance.count(counted) >= answered, timeout=60)
    lines = eventually(lambda: _at_least(answered, _lines(finance, logged, began)), timeout=60)
    spans = eventually(lambda: _at_least(answered, _server_spans(finance, route, began)), timeout=60)
    assert finance.count(counted) == len(lines) == len(spans) == answered


def _at_least(wanted: int, found: Found) -> Found:
    return found if len(found) >= wanted else type(found)()


SLICE = 5
"""Seconds that are asked for at a time: an answer with all traces would be a hundred megabytes."""


def _lines(finance: Finance, query: str, began: float) -> set[str]:
    """Return the nanosecond of each line."""
    lines: set[str] = set()
    for start in range(int(began), int(time.time()) + 1, SLICE):
        bounds = {"start": str(start * 10**9), "end": str((start + SLICE) * 10**9)}
        asked = {"query": query, "limit": "5000", **bounds}
        found = httpx.get(f"{finance.stack.endpoints.loki}/loki/api/v1/query_range", params=asked, timeout=30).json()
        lines.update(at for stream in found["data"]["result"] for at, _ in stream["values"])
    return lines


def _server_spans(finance: Finance, route: str, began: float) -> set[str]:
    """Return the ids."""
    spans: set[str] = set()
    for start in range(int(began), int(time.time()) + 1, SLICE):
        # Both ends are part of what is asked for: in microseconds, so that no trace is in two answers.
        bounds = {"start": str(start * 1_000_000), "end": str((start + SLICE) * 1_000_000 - 1)}
        found = finance.traces(operation=f"GET {route}", limit="5000", **bounds)
        spans.update(s["spanID"] for trace in found for s in trace["spans"] if s["operationName"] == f"GET {route}")
    return spans
