"""What probes and people are answered."""

import json
import signal
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.health import About, Check, Health, Level, Reading
from mita_otel.web.health import HealthEndpoints, Watched, draining

TOKEN = "t" * 20
AUTHORISED = {"authorization": f"Bearer {TOKEN}"}
ABOUT = About("shop", "1.2.3", "production", lambda: [{"name": "openai", "state": "open"}])


class Store:
    """A component in whatever state a test wants."""

    error: Exception | None = None
    level = Level.HEALTHY

    async def look(self) -> Sequence[Reading]:
        if self.error is not None:
            raise self.error
        return [Reading("connections", 7, level=self.level), Reading("version", "15.3")]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def health(store: Store) -> Health:
    return Health([Check("store", store.look, "datastore", is_vital=True)])


async def application(scope: Any, _: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the application"})


@pytest.fixture
def client(health: Health) -> httpx.AsyncClient:
    app: Any = HealthEndpoints(application, lambda _: Watched(health, ABOUT), TOKEN)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_the_process_lives_whatever_it_depends_on(
    client: httpx.AsyncClient, store: Store, health: Health
) -> None:
    store.error = ConnectionError()
    async with health.running():
        assert (await client.get("/health/live")).status_code == 200


async def test_it_has_started_once_everything_was_looked_at(client: httpx.AsyncClient, health: Health) -> None:
    assert (await client.get("/health/startup")).json() == {"status": "unhealthy", "reason": "starting"}
    async with health.running():
        assert (await client.get("/health/startup")).status_code == 200


async def test_it_is_ready_until_it_is_told_to_end(client: httpx.AsyncClient, health: Health) -> None:
    async with health.running():
        assert (await client.get("/health/ready")).status_code == 200
        health.drain()
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["reason"]) == (503, "draining")


async def test_strangers_are_not_told_what_is_wrong(client: httpx.AsyncClient, store: Store, health: Health) -> None:
    store.error = ConnectionError("10.0.0.1")
    async with health.running():
        assert (await client.get("/health/ready")).json()["reason"] == "dependency"
        for page in ("production", "comprehensive"):
            answer = await client.get(f"/health/{page}")
            assert (answer.status_code, answer.json()["checks"]) == (503, {"store": {"status": "unhealthy"}})
            assert not {"version", "environment", "components"} & answer.json().keys()
            assert "ConnectionError" not in answer.text


async def test_who_has_the_token_is_told_everything(client: httpx.AsyncClient, health: Health) -> None:
    async with health.running():
        answer = (await client.get("/health/comprehensive", headers=AUTHORISED)).json()
    assert (answer["status"], answer["version"], answer["environment"]) == ("healthy", "1.2.3", "production")
    assert answer["checks"]["store"]["readings"]["connections"] == {
        "value": 7,
        "unit": "",
        "status": "healthy",
        "limit": None,
    }
    assert answer["circuit_breakers"] == [{"name": "openai", "state": "open"}]
    assert answer["history"] == {"checks": 1, "trend": "stable", "alert_frequency": 0, "stability": 1}
    assert answer["response_times"]["store"]["timeout_risk"] == "none"


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
async def test_any_other_token_is_a_strangers(client: httpx.AsyncClient, health: Health, token: str) -> None:
    async with health.running():
        answer = await client.get("/health/production", headers={"authorization": token})
    assert "version" not in answer.json()


@pytest.mark.parametrize(
    ("level", "told_as"),
    [(Level.HEALTHY, (200, "pass")), (Level.DEGRADED, (200, "warn")), (Level.UNHEALTHY, (503, "fail"))],
)
async def test_who_asks_for_health_json_gets_it(
    client: httpx.AsyncClient, store: Store, health: Health, level: Level, told_as: tuple[int, str]
) -> None:
    store.level = level
    status, word = told_as
    async with health.running():
        answer = await client.get("/health/production", headers={**AUTHORISED, "accept": "application/health+json"})
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"], told["status"]) == (
        status,
        "application/health+json",
        word,
    )
    (measured,) = told["checks"]["store:connections"]
    assert (measured["componentType"], measured["observedValue"], measured["status"]) == ("datastore", 7, word)
    assert told["checks"]["store:responseTime"][0]["observedUnit"] == "ms"


async def test_an_answer_follows_what_was_found(client: httpx.AsyncClient, health: Health) -> None:
    async with health.running():
        assert (await client.get("/health/ready")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 503


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/other", "/healthy/live", "/", "/api/health/live"])
async def test_every_other_path_is_the_applications(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).text == "the application"


async def test_only_reading_is_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/health/live")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    answer = await client.head("/health/live")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_below_a_prefix_the_pages_are_there_too(health: Health) -> None:
    app: Any = HealthEndpoints(application, lambda _: Watched(health, ABOUT))
    transport = httpx.ASGITransport(app, root_path="/v1")
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/v1/health/live")).status_code == 200


@given(st.binary(), st.binary())
async def test_any_header_has_an_answer(accept: bytes, authorization: bytes) -> None:
    health = Health([])
    endpoints = HealthEndpoints(application, lambda _: Watched(health, ABOUT), TOKEN)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"accept", accept), (b"authorization", authorization)]
    scope = {"type": "http", "method": "GET", "path": "/health/production", "headers": headers}
    await endpoints(scope, None, send)  # type: ignore[arg-type] # nothing is received
    assert json.loads(sent[1]["body"])["status"] == "healthy"


async def test_before_there_is_anything_to_tell_of_it_starts() -> None:
    app: Any = HealthEndpoints(application, lambda _: None, TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/health/live")).status_code == 200
        for page in ("startup", "ready", "production", "comprehensive"):
            answer = await client.get(f"/health/{page}")
            assert (answer.status_code, answer.json()["reason"]) == (503, "starting")


async def test_the_server_hears_of_the_signal_after_the_load_balancer(health: Health) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        async with draining(health, 0.05):
            signal.raise_signal(signal.SIGTERM)
            assert (health.is_draining, heard) == (True, [])
            signal.raise_signal(signal.SIGTERM)
            assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_without_a_server_there_is_nobody_to_tell(health: Health) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        async with draining(health, 1):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
