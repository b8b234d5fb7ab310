"""N+1: what one request asks again and again, told once, as its answer begins."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind

from mita_otel.libraries.database import Client, Endpoint
from mita_otel.libraries.model import Telemetry
from mita_otel.settings import Settings
from mita_otel.traces import request
from mita_otel.traces.request import STATEMENTS_COUNTED, RequestSpanProcessor
from mita_otel.web.repeated import EVENTS_AT_MOST
from mita_otel.web.server import ServerLayer
from tests.unit.web.layered import within

Handler = Callable[["Service"], Awaitable[None]]

DATABASE = Endpoint("postgresql", "bank")


class Route:
    path = "/budgets/{month}"


class Service:
    """The server layer, a SERVER span as FastAPI makes it, and a handler that asks databases."""

    def __init__(self, *, sampled: bool = True, limit: int = 3) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self._tracers = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF, shutdown_on_exit=False)
        self._tracers.add_span_processor(RequestSpanProcessor())
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        settings = Settings.read({"MITA_N_PLUS_ONE": str(limit), "MITA_EXCLUDED_PATHS": "/health"})
        self._serve = within(ServerLayer(settings, self.meters))
        telemetry = Telemetry(self._tracers, self.meters, None, settings)  # type: ignore[arg-type] # no logs here
        self._client = Client("none", telemetry)
        self.send: Callable[[Any], Awaitable[None]] = _nowhere

    def ask(self, statement: str, times: int = 1) -> None:
        call = DATABASE.statement(statement, batch=False)
        assert call is not None
        for _ in range(times):
            operation = self._client.begin(call)
            if operation is not None:
                operation.end()

    async def answer(self, status: int = 200) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": []})
        await self.send({"type": "http.response.body", "body": b""})

    async def serve(self, handler: Handler, *, path: str = "/budgets/2026-01", kind: str = "http") -> None:
        async def application(scope: Any, _: Any, send: Any) -> None:
            self.send = send
            scope["route"] = Route
            with self._tracers.get_tracer("test").start_as_current_span("GET", kind=SpanKind.SERVER):
                await handler(self)

        scope = {"type": kind, "path": path, "headers": [], "method": "GET"}
        await self._serve(application, scope, _never, _nowhere)

    @property
    def counted(self) -> list[tuple[dict[str, Any], float]]:
        data = self._reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), point.value)  # type: ignore[union-attr] # it is a counter
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "mita.database.n_plus_one"
            for point in metric.data.data_points
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The attributes of the events of SERVER spans, which has to be where they are."""
        spans: tuple[ReadableSpan, ...] = self._spans.get_finished_spans()
        return [dict(event.attributes or {}) for span in spans if span.kind is SpanKind.SERVER for event in span.events]


async def _nowhere(_: Any) -> None:
    pass


async def _never() -> Any:
    raise AssertionError


@pytest.fixture(autouse=True)
def _outside_of_requests() -> Iterator[None]:
    token = request.begin()
    yield
    request.restore(token)


SELECT = "SELECT * FROM lines WHERE budget = $1 AND note = 'secret'"
MASKED = "SELECT * FROM lines WHERE budget = $1 AND note = ?"


async def test_a_statement_that_is_repeated_is_told_once_with_how_often() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 7)
        service.ask("SELECT 1", 2)
        await service.answer()

    await service.serve(handler)
    assert service.counted == [({"http.route": "/budgets/{month}"}, 1)]
    assert service.events == [{"db.query.text": MASKED, "mita.n_plus_one.executions": 7}]


async def test_literals_make_no_other_statement() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        for number in range(5):
            service.ask(f"SELECT * FROM t WHERE id = {number}")
        await service.answer()

    await service.serve(handler)
    assert service.events == [{"db.query.text": "SELECT * FROM t WHERE id = ?", "mita.n_plus_one.executions": 5}]


async def test_just_below_the_limit_nothing_is_told() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 2)
        await service.answer()

    await service.serve(handler)
    await service.serve(handler)
    assert (service.counted, service.events) == ([], [])


async def test_tasks_of_a_request_count_together() -> None:
    service = Service(limit=4)

    async def handler(service: Service) -> None:
        async def ask() -> None:
            service.ask(SELECT)

        await asyncio.gather(*(ask() for _ in range(2)), *(asyncio.to_thread(service.ask, SELECT) for _ in range(2)))
        await service.answer()

    await service.serve(handler)
    assert [event["mita.n_plus_one.executions"] for event in service.events] == [4]


async def test_concurrent_requests_count_for_themselves() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        send = service.send
        for _ in range(2):
            service.ask(SELECT)
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    await asyncio.gather(*(asyncio.create_task(service.serve(handler)) for _ in range(10)))
    assert service.counted == []


async def test_what_runs_after_the_answer_has_begun_does_not_count() -> None:
    service = Service(limit=3)
    outliving: list[asyncio.Task[None]] = []

    async def work() -> None:
        await asyncio.sleep(0)
        service.ask(SELECT, 10)

    async def handler(service: Service) -> None:
        outliving.append(asyncio.create_task(work()))
        await service.answer()
        service.ask(SELECT, 10)

    await service.serve(handler)
    await asyncio.gather(*outliving)
    assert (service.counted, service.events) == ([], [])


async def test_a_request_that_fails_without_an_answer_is_told_of_too() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await service.serve(handler)
    assert service.counted == [({"http.route": "/budgets/{month}"}, 1)]


async def test_without_sampling_it_is_counted() -> None:
    service = Service(sampled=False, limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 3)
        await service.answer()

    await service.serve(handler)
    assert (len(service.counted), service.events) == (1, [])


async def test_a_websocket_asks_as_long_as_it_lives() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 30)

    await service.serve(handler, kind="websocket")
    assert service.counted == []


async def test_excluded_requests_count_nothing() -> None:
    service = Service(limit=3)

    async def handler(service: Service) -> None:
        service.ask(SELECT, 30)
        await service.answer()

    await service.serve(handler, path="/health")
    assert service.counted == []


async def test_a_request_within_a_request_counts_for_itself() -> None:
    service = Service(limit=3)

    async def inner(service: Service) -> None:
        service.ask(SELECT, 2)
        await service.answer()

    async def outer(service: Service) -> None:
        send = service.send
        service.ask(SELECT, 2)
        await service.serve(inner)
        service.ask(SELECT, 1)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    await service.serve(outer)
    assert [event["mita.n_plus_one.executions"] for event in service.events] == [3]


async def test_neither_statements_nor_events_are_without_bound() -> None:
    service = Service(limit=2)

    async def handler(service: Service) -> None:
        for _ in range(2):
            for number in range(STATEMENTS_COUNTED + 50):
                service.ask(f"SELECT * FROM t{number}")
        await service.answer()

    await service.serve(handler)
    assert service.counted == [({"http.route": "/budgets/{month}"}, STATEMENTS_COUNTED)]
    assert len(service.events) == EVENTS_AT_MOST


async def test_commands_of_redis_are_no_statements() -> None:
    service = Service(limit=2)

    async def handler(service: Service) -> None:
        call = Endpoint("redis").call("GET", "GET", {})
        for _ in range(5):
            operation = service._client.begin(call)
            assert operation is not None
            operation.end()
        await service.answer()

    await service.serve(handler)
    assert service.counted == []
