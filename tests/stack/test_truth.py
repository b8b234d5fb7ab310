"""Several workers, several replicas, one worker restarted: Prometheus counts what happened, no more and no less."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.fixtures.soak import SOAK

pytestmark = [pytest.mark.stack, pytest.mark.soak, pytest.mark.xdist_group("stack"), pytest.mark.timeout(400)]

WORKERS, REPLICAS, REQUESTS = (4, 2, 2000) if SOAK else (2, 2, 800)
NOBODYS = "/api/transactions/00000000-0000-0000-0000-000000000000"
CATEGORIES = ("food", "housing", "transport")


@dataclass
class Fleet:
    """Replicas of MITA Finance on one database and one Redis, and what they were asked."""

    name: str
    stack: NativeStack
    replicas: list[tuple[ServiceProcess, str]]
    truth: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def happened(self, *what: str, times: int = 1) -> None:
        with self._lock:
            self.truth[what] += times

    def counted(self, query: str, *labels: str) -> dict[tuple[str, ...], int]:
        """Sum a counter over all processes since their beginning, by labels; those at zero are left out."""
        increase = f"sum by ({', '.join(labels)}) (increase({query.replace('@', self._selector)}[15m] anchored))"
        url = f"{self.stack.endpoints.prometheus}/api/v1/query"
        found = httpx.get(url, params={"query": increase}, timeout=30).json()["data"]["result"]
        values = {tuple(row["metric"].get(label, "") for label in labels): float(row["value"][1]) for row in found}
        assert all(value == int(value) for value in values.values()), "not estimated but counted"
        return {key: int(value) for key, value in values.items() if value}

    @property
    def _selector(self) -> str:
        return f'service_name="{self.name}"'

    def true(self, kind: str) -> dict[tuple[str, ...], int]:
        return {what[1:]: count for what, count in self.truth.items() if what[0] == kind}


@pytest.fixture
def fleet(stack: NativeStack, start_service: Callable[..., ServiceProcess], postgres_url: str, redis_url: str) -> Fleet:
    stack.up(standard=False)
    name = f"fleet-{uuid4().hex[:8]}"
    replicas = []
    for number in range(REPLICAS):
        port = find_free_port()
        process = start_service(
            ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", str(port), "--workers", str(WORKERS)],
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
                "OTEL_SERVICE_NAME": name,
                "OTEL_METRIC_EXPORT_INTERVAL": "1000",
                "MITA_STRICT": "1",
                "DATABASE_URL": postgres_url,
                "REDIS_URL": redis_url,
                "MIGRATE_ON_START": "true" if number == 0 else "false",
                "JWT_SECRET": "s" * 40,
                "PYTHONPATH": ".",
            },
            url=f"http://127.0.0.1:{port}/health",
            timeout=90,
        )
        replicas.append((process, f"http://127.0.0.1:{port}"))
    return Fleet(name, stack, replicas)


def _workers(process: ServiceProcess) -> list[psutil.Process]:
    """Return the processes that serve, told from the resource tracker by what they run."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if any("multiprocessing.spawn" in word for word in child.cmdline())]


class _User:
    """Sends requests whose outcome is known beforehand, and writes down each that was answered."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        self._random = random.Random(seed)
        self._clients = [httpx.Client(base_url=url, timeout=30) for _, url in fleet.replicas]
        email = f"{uuid4().hex}@example.com"
        self._user = {"email": email, "password": "correct horse"}
        answer = self._ask("POST", "/api/auth/register", 201, {**self._user, "currency": "USD"})
        self._headers = {"authorization": f"Bearer {answer['access_token']}"}
        fleet.happened("registration", "password")

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def step(self) -> None:
        action = self._random.choices(
            (self._spend, self._look, self._err, self._miss, self._enter_many, self._forget), (50, 25, 10, 10, 4, 1)
        )[0]
        action()

    def _spend(self) -> None:
        category = self._random.choice(CATEGORIES)
        self._ask("POST", "/api/transactions", 201, {"amount": "2", "category": category})
        self._fleet.happened("created", "expense", category)
        self._fleet.happened("attempt", "success")

    def _look(self) -> None:
        self._ask("GET", "/api/transactions/categories", 200)

    def _err(self) -> None:
        self._ask("POST", "/api/transactions", 422, {"amount": "-1", "category": "food"})
        self._fleet.happened("error", "validation", "low")

    def _miss(self) -> None:
        self._ask("GET", NOBODYS, 404, route="/api/transactions/{transaction_id}")
        self._fleet.happened("error", "business_logic", "low")

    def _enter_many(self) -> None:
        items = [{"amount": "1", "category": "food"}, {"amount": "1", "category": "housing"}, {"amount": "none"}]
        self._ask("POST", "/api/transactions/bulk", 200, {"items": items})
        self._fleet.happened("bulk", "success", times=2)
        self._fleet.happened("bulk", "rejected")
        for category in ("food", "housing"):
            self._fleet.happened("created", "bulk", category)

    def _forget(self) -> None:
        self._ask("POST", "/api/auth/login", 401, {**self._user, "password": "not the one"})
        self._fleet.happened("error", "authentication", "medium")
        self._fleet.happened("failure", "credentials")

    def _ask(self, method: str, path: str, status: int, body: object = None, route: str | None = None) -> Any:
        headers = getattr(self, "_headers", {})
        while True:
            try:
                answer = self._random.choice(self._clients).request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                continue  # a worker that ends hangs up before it takes the request
            assert answer.status_code == status, answer.text
            self._fleet.happened("request", method, route or path, str(status))
            return answer.json() if answer.content else None


def _load(fleet: Fleet, on_half: Callable[[], None]) -> None:
    half = threading.Event()

    def serve(seed: int) -> None:
        user = _User(fleet, seed)
        for number in range(REQUESTS // 8):
            user.step()
            if number == REQUESTS // 16 and not half.is_set():
                half.set()
                on_half()
        user.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(serve, range(8)))


QUERIES = {
    "created": ("mita_transactions_created_total{@}", ("type", "category")),
    "attempt": ("mita_transactions_total{@}", ("status",)),
    "registration": ("mita_user_registrations_total{@}", ("method",)),
    "failure": ("mita_authentication_failures_total{@}", ("reason",)),
    "bulk": ("mita_bulk_entries_total{@}", ("status",)),
    "error": ("mita_errors_total{@}", ("category", "severity")),
    "request": (
        "http_server_request_duration_seconds_count{@}",
        ("http_request_method", "http_route", "http_response_status_code"),
    ),
}


def test_every_counter_tells_the_truth_though_a_worker_was_restarted_in_the_middle(fleet: Fleet) -> None:
    process = fleet.replicas[0][0]
    eventually(lambda: len(_workers(process)) == WORKERS, timeout=60)
    victim = _workers(process)[0]
    _load(fleet, lambda: victim.send_signal(signal.SIGTERM))
    eventually(lambda: not victim.is_running() and len(_workers(process)) == WORKERS, timeout=60)
    for kind in QUERIES:
        eventually(partial(_agree, fleet, kind), timeout=30)
    assert sum(fleet.true("request").values()) >= REQUESTS


def _agree(fleet: Fleet, kind: str) -> bool:
    query, labels = QUERIES[kind]
    assert fleet.counted(query, *labels) == fleet.true(kind)
    return True
