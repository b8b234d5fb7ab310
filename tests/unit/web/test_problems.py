"""Error answers of a FastAPI application."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI, HTTPException
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from mita_otel import errors
from mita_otel.errors.alerting import Alertmanager
from mita_otel.errors.body import SCHEMA
from mita_otel.settings import Settings
from mita_otel.web import problems

TOKEN = "t" * 20
CARD = "4111 1111 1111 1111"


class Login(BaseModel):
    password: int


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(version="1.2.3")

    @app.post("/login")
    async def login(body: Login) -> None: ...

    @app.get("/missing/{key}")
    async def missing(key: str) -> None:
        raise errors.ResourceNotFoundError(f"{key} was not found")

    @app.get("/busy")
    async def busy() -> None:
        raise errors.RateLimitError("too many", headers={"Retry-After": "7"})

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError(f"card {CARD}")

    @app.get("/unavailable")
    async def unavailable() -> None:
        raise errors.DatabaseError("the database is not available now") from ConnectionError("10.0.0.1")

    @app.get("/http/{status}")
    async def http(status: int) -> None:
        raise HTTPException(status, f"insides {CARD}")

    return app


@pytest.fixture
def reporter(app: FastAPI) -> errors.Reporter:
    settings = Settings.read(
        {"MITA_ADMIN_TOKEN": TOKEN, "MITA_JAEGER_URL": "http://jaeger", "MITA_ERROR_TYPES": "https://errors.example/"}
    )
    return problems.install(app, settings)


@pytest.fixture
async def client(app: FastAPI, reporter: errors.Reporter) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def spans() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider, exporter
    provider.shutdown()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/login", 422, "VALIDATION_2002"),
        ("GET", "/missing/a", 404, "RESOURCE_3001"),
        ("GET", "/busy", 429, "RATE_LIMIT_6001"),
        ("GET", "/broken", 500, "SYSTEM_9001"),
        ("GET", "/unavailable", 503, "DATABASE_5001"),
        ("GET", "/nowhere", 404, "HTTP_404"),
        ("PUT", "/busy", 405, "HTTP_405"),
        ("GET", "/http/500", 500, "HTTP_500"),
    ],
)
async def test_every_error_is_answered_in_the_standard_form(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    told = answer.json()
    jsonschema_rs.validate(dict(SCHEMA), told)
    assert (answer.status_code, told["status"], told["error"]["code"]) == (status, status, code)
    assert told["type"] == f"https://errors.example/{code}"
    assert answer.headers["x-error-id"] == told["error"]["error_id"]
    assert answer.headers["content-type"] == "application/json"


async def test_a_client_that_asks_for_problems_gets_them(client: httpx.AsyncClient) -> None:
    answer = await client.get("/busy", headers={"accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "7"


async def test_invalid_input_is_not_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", json={"password": "correct horse"})
    assert "correct horse" not in answer.text
    details = answer.json()["error"]["details"]
    assert details == [{"field": "body.password", "problem": details[0]["problem"]}]


@pytest.mark.parametrize("path", ["/broken", "/http/500", "/http/503"])
async def test_a_fault_of_ours_tells_nothing_of_our_insides(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.json()["detail"] == "something went wrong on our side"


async def test_what_a_developer_tells_a_client_is_masked(client: httpx.AsyncClient) -> None:
    answer = await client.get("/http/400")
    assert "insides" in answer.text
    assert CARD not in answer.text


async def test_a_redirect_that_was_raised_is_no_error(client: httpx.AsyncClient, reporter: errors.Reporter) -> None:
    answer = await client.get("/http/304")
    assert answer.status_code == 304
    assert len(reporter.groups) == 0


async def test_the_error_is_on_the_span_and_in_the_log(
    client: httpx.AsyncClient,
    spans: tuple[TracerProvider, InMemorySpanExporter],
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider, exporter = spans
    with (
        caplog.at_level(logging.INFO, "mita_otel.errors"),
        provider.get_tracer("test").start_as_current_span("GET"),
    ):
        answer = await client.get("/unavailable")
    error_id = answer.headers["x-error-id"]
    (span,) = exporter.get_finished_spans()
    (record,) = caplog.records
    found: Any = span.attributes
    assert found["mita.error.id"] == record.__dict__["mita.error.id"] == error_id
    assert found["mita.error.fingerprint"] == record.__dict__["mita.error.fingerprint"]
    assert (record.levelname, bool(record.exc_info)) == ("ERROR", True)
    assert span.context is not None
    assert answer.json()["trace_id"] == f"{span.context.trace_id:032x}"


async def test_who_looks_after_the_service_is_told_of_an_errors_group(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        error_id = (await client.get("/missing/a")).headers["x-error-id"]
    answer = await client.get(f"/errors/{error_id}", headers={"authorization": f"Bearer {TOKEN}"})
    told = answer.json()
    assert (told["error_id"], told["type"], told["route"]) == (error_id, "ResourceNotFoundError", "/missing/{key}")
    group = told["group"]
    assert (group["count"], group["first_seen_in_version"], group["new_in_this_version"]) == (2, "1.2.3", True)
    assert (group["trend"], sum(group["per_minute"]), group["traces"]) == ("steady", 2, [])


async def test_nobody_else_is_told(client: httpx.AsyncClient) -> None:
    error_id = (await client.get("/missing/a")).headers["x-error-id"]
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
        assert (await client.get(f"/errors/{error_id}", headers=headers)).status_code == 401


async def test_an_error_that_the_process_does_not_know_is_searched_for_in_the_log(client: httpx.AsyncClient) -> None:
    answer = await client.get("/errors/mita_000000000000", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert "mita.error.id" in answer.json()["error"]


async def test_without_a_token_there_is_no_such_route() -> None:
    app = FastAPI()
    problems.install(app, Settings.read({}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/errors/mita_000000000000", headers={"authorization": "Bearer x"})
    assert answer.json()["error"]["code"] == "HTTP_404"


def test_alertmanager_is_told_by_the_labels_that_prometheus_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=production")
    settings = Settings.read({"MITA_ALERTMANAGER_URL": "http://127.0.0.1:9", "OTEL_SERVICE_NAME": "shop"})
    teller = problems.install(FastAPI(), settings)._teller
    assert isinstance(teller, Alertmanager)
    assert teller._labels == {"service_name": "shop", "deployment_environment_name": "production"}
