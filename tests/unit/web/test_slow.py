"""Slow requests: one line that says what it was, for whom, and where its trace is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from mita_otel.errors.performance import PERFORMANCE, RECENT
from mita_otel.settings import Settings, SettingsError
from mita_otel.traces.request import RequestSpanProcessor
from mita_otel.web import identify_user
from mita_otel.web.server import ServerLayer
from tests.unit.web.layered import within

ALWAYS_SLOW = "0.000000001"
NEVER_SLOW = "3600"

Handler = Callable[..., Awaitable[None]]


class Route:
    path = "/orders/{number}"


async def answer(scope: Any, receive: Any, send: Any, *, status: int = 200, kind: bytes = b"text/plain") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"Content-Type", kind)]})
    await send({"type": "http.response.body", "body": b"four"})


def serve(handler: Handler, *, limit: str = ALWAYS_SLOW, sampler: Sampler = ALWAYS_ON, query: bytes = b"") -> None:
    """Serve one request for `/orders/7` with a SERVER span, as FastAPI makes it."""
    settings = Settings.read(
        {"MITA_SLOW_REQUEST_SECONDS": limit, "MITA_TRACE_URL": "https://traces.test/trace/{trace_id}"}
    )
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(RequestSpanProcessor())
    serve_inside = within(ServerLayer(settings, MeterProvider(shutdown_on_exit=False)))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = Route
        with provider.get_tracer("test").start_as_current_span("GET", kind=trace.SpanKind.SERVER):
            await handler(scope, receive, send)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(_: Any) -> None: ...

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/orders/7",
        "headers": [],
        "scheme": "http",
        "query_string": query,
    }
    asyncio.run(serve_inside(app, scope, receive, send))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    return lambda: [record for record in caplog.records if record.name == "mita_otel.web.slow"]


Lines = Callable[[], list[logging.LogRecord]]


def test_a_slow_request_is_one_warning_in_the_stream_performance(lines: Lines) -> None:
    serve(answer)

    [record] = lines()
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("slow request: GET /orders/{number} took ")
    told = record.__dict__
    assert told["mita.log.stream"] == "performance"
    assert told["duration_ms"] > 0
    assert told["http.request.method"] == "GET"
    assert told["http.route"] == "/orders/{number}"
    assert told["url.path"] == "/orders/7"
    assert told["http.response.status_code"] == 200
    assert told["http.response.body.size"] == 4


def test_a_fast_request_is_none(lines: Lines) -> None:
    serve(answer, limit=NEVER_SLOW)

    assert lines() == []


def test_requests_are_remembered_and_slow_ones_with_their_traces() -> None:
    before = PERFORMANCE.read()
    serve(answer, limit=NEVER_SLOW)
    serve(answer)

    after = PERFORMANCE.read()
    assert after.slow_requests_count == before.slow_requests_count + 1
    assert after.requests == min(before.requests + 2, RECENT)
    [newest, *_] = PERFORMANCE.slow()
    assert (newest.method, newest.route, len(newest.trace_id)) == ("GET", "/orders/{number}", 32)


def test_the_query_is_masked(lines: Lines) -> None:
    serve(answer, query=b"page=2&token=s3cr3t")

    assert lines()[0].__dict__["url.query"] == "page=2&token=[REDACTED]"


def test_the_link_leads_to_the_trace(lines: Lines) -> None:
    seen: list[str] = []

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        seen.append(format(trace.get_current_span().get_span_context().trace_id, "032x"))
        await answer(scope, receive, send)

    serve(handler)

    assert lines()[0].__dict__["trace.url"] == f"https://traces.test/trace/{seen[0]}"


def test_a_trace_that_was_not_sampled_has_no_link(lines: Lines) -> None:
    serve(answer, sampler=ALWAYS_OFF)

    assert "trace.url" not in lines()[0].__dict__


def test_the_user_is_who_the_application_says_also_from_a_thread(lines: Lines) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(identify_user, 7)
        await answer(scope, receive, send)

    serve(handler)

    assert lines()[0].__dict__["user.id"] == "7"


def test_a_request_of_nobody_in_particular_has_no_user(lines: Lines) -> None:
    identify_user("outside of a request")
    serve(answer)

    assert "user.id" not in lines()[0].__dict__


def test_a_failed_request_is_an_error_as_its_span_is(lines: Lines) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no stock")

    with pytest.raises(RuntimeError):
        serve(handler)

    [record] = lines()
    assert record.levelno == logging.ERROR
    assert "http.response.status_code" not in record.__dict__


@pytest.mark.parametrize(("status", "level"), [(404, logging.WARNING), (503, logging.ERROR)])
def test_the_level_follows_the_status(lines: Lines, status: int, level: int) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send, status=status)

    serve(handler)

    assert [record.levelno for record in lines()] == [level]


def test_a_stream_of_events_is_never_slow(lines: Lines) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send, kind=b"text/event-stream; charset=utf-8")

    serve(handler)

    assert lines() == []


def test_work_after_the_answer_does_not_count(lines: Lines) -> None:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send)
        await asyncio.sleep(0.2)

    serve(handler)

    assert lines()[0].__dict__["duration_ms"] < 200


@pytest.mark.parametrize(
    ("name", "value"), [("MITA_SLOW_REQUEST_SECONDS", "0"), ("MITA_TRACE_URL", "https://traces.test/trace")]
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.read({name: value})
