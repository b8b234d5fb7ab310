"""What a report says of its request, and what the layer around an application leaves alone."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mita_otel.sentry.requests import describe
from tests.unit.sentry.conftest import Bridge, Start


def _failing(_: Request) -> PlainTextResponse:
    raise ValueError("failed")


async def _unavailable(_: Request) -> PlainTextResponse:
    raise HTTPException(503)


async def _missing(_: Request) -> PlainTextResponse:
    raise HTTPException(404)


ROUTES = [Route("/fails", _failing), Route("/unavailable", _unavailable), Route("/missing", _missing)]


@pytest.fixture
def bridged(start: Start) -> Bridge:
    return start()


async def _get(path: str, app: Any = None) -> int:
    transport = httpx.ASGITransport(app or Starlette(routes=ROUTES), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        return (await client.get(path)).status_code


async def test_an_unhandled_exception_is_one_report_of_its_request(bridged: Bridge) -> None:
    assert await _get("/fails?page=2&token=x") == 500
    event = bridged.sent.event()
    assert event["request"]["method"] == "GET"
    assert event["request"]["url"] == "http://shop.example/fails"
    assert event["request"]["query_string"] == "page=2&token=[REDACTED]"
    assert event["transaction"] == "tests.unit.sentry.test_requests._failing"
    assert event["exception"]["values"][-1]["mechanism"] == {"type": "starlette", "handled": False}


async def test_a_mounted_application_is_part_of_its_parents_request(bridged: Bridge) -> None:
    assert await _get("/inner/fails", Starlette(routes=[Mount("/inner", Starlette(routes=ROUTES))])) == 500
    assert len(bridged.sent.items) == 1


@pytest.mark.parametrize(("path", "reports"), [("/unavailable", 1), ("/missing", 0)])
async def test_of_answers_those_of_the_servers_fault_are_reported(bridged: Bridge, path: str, reports: int) -> None:
    await _get(path)
    assert len(bridged.sent.items) == reports


async def test_a_handler_of_the_applications_own_still_answers(bridged: Bridge) -> None:
    def handle(_: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(f"sorry: {error}", status_code=418)

    assert await _get("/fails", Starlette(routes=ROUTES, exception_handlers={ValueError: handle})) == 418
    assert bridged.sent.items == []


async def test_a_fault_of_ours_reaches_nobody(bridged: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("mita_otel.sentry.requests.event_from_exception", fail)
    assert await _get("/fails") == 500
    assert await _get("/unavailable") == 503
    assert bridged.sent.items == []


async def test_after_the_bridge_is_undone_an_application_is_as_it_was(start: Start) -> None:
    before = Starlette.__call__
    bridged = start()
    assert Starlette.__call__ is not before
    bridged.undo()
    assert Starlette.__call__ is before


def test_a_request_without_a_host_is_described_by_its_server() -> None:
    scope = {"type": "http", "path": "/x", "server": ("127.0.0.1", 8000), "headers": []}
    assert describe({}, scope)["request"]["url"] == "http://127.0.0.1:8000/x"
    assert "transaction" not in describe({}, scope)
