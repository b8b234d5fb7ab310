"""However different requests are, each instrument keeps to the series that its page states."""

import asyncio
import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest

from mita_otel.metrics.catalogue import INSTRUMENTS
from tests.fixtures.otlp_receiver import OtlpReceiver, otlp_receiver_running
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess
from tests.fixtures.soak import SOAK
from tests.integration.app.conftest import external
from tests.integration.app.hostile import Hostile, hostile_requests

REQUESTS = 10_000 if SOAK else 800
AT_ONCE = 16
OPEN = 400
"""Series of an instrument that is open in routes, statuses, statements: some 40 routes, ten methods, mostly one status,
however often MITA Finance is asked."""


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver_running() as receiver:
        yield receiver


@pytest.fixture
def service(
    receiver: OtlpReceiver, shared_standin: str, start_service: Callable[..., ServiceProcess]
) -> tuple[ServiceProcess, str]:
    url = f"http://127.0.0.1:{find_free_port()}"
    environment = {name.upper(): str(value) for name, value in external(shared_standin).items()}
    environment |= {
        "JWT_SECRET": "s" * 40,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "MITA_LOG_FORMAT": "none",
    }
    command = ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", url.rpartition(":")[2]]
    return start_service([*command, "--log-level", "critical"], environment, url=f"{url}/health"), url


async def ask(url: str, requests: Iterator[Hostile]) -> int:
    """Send every request, sixteen at once, and return how many were answered."""
    answered = 0

    async def some(client: httpx.AsyncClient) -> None:
        nonlocal answered
        for request in requests:
            await client.request(
                request.method, request.path, headers=request.headers, params=request.params, json=request.json
            )
            answered += 1

    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await asyncio.gather(*(some(client) for _ in range(AT_ONCE)))
    return answered


def brought_along(receiver: OtlpReceiver) -> set[str]:
    """Return the values of attributes that only a request can have brought."""
    values = {
        str(value)
        for name in receiver.metric_names
        for point in receiver.latest_points(name)
        for value in point["attributes"].values()
    }
    return {value for value in values if re.search(r"[0-9a-f]{16}|example|10\.\d", value)}


@pytest.mark.soak
async def test_any_number_of_hostile_requests_keeps_each_instrument_to_its_series(
    receiver: OtlpReceiver, service: tuple[ServiceProcess, str]
) -> None:
    process, url = service
    async with httpx.AsyncClient(base_url=url) as client:
        body = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        registered = await client.post("/api/auth/register", json=body)
    user = {"authorization": f"Bearer {registered.json()['access_token']}"}

    def served() -> int:
        points = receiver.latest_points("http.server.request.duration")
        return sum(int(point["count"]) for point in points)

    assert await ask(url, hostile_requests(REQUESTS, user)) == REQUESTS
    process.terminate()
    process.wait()
    assert served() == REQUESTS + 1

    series = {name: len(receiver.latest_points(name)) for name in receiver.metric_names}
    stated = {name: INSTRUMENTS[name].series_at_most or OPEN for name in series}
    assert {name: number for name, number in series.items() if number > stated[name]} == {}
    assert brought_along(receiver) == set()
