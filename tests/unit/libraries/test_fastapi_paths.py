"""Whichever path serves a request, the telemetry of it is the same: our own is held to FastAPI's native telemetry."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import fastapi
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.telemetry import TelemetryData, _api, get_telemetry_data
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from mita_otel.libraries.fastapi import instrument
from mita_otel.libraries.fastapi.native import look_directly
from mita_otel.libraries.model import Telemetry
from mita_otel.libraries.patches import Patches
from mita_otel.metrics.views import views
from mita_otel.settings import Settings
from mita_otel.traces.propagation import propagator
from mita_otel.traces.request import RequestSpanProcessor

ID = (b"x-correlation-id", b"order-42")
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@dataclass
class Service:
    """A service on one path, and what it exported."""

    path: str
    sampler: Sampler = ALWAYS_ON
    spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    logs: InMemoryLogRecordExporter = field(default_factory=InMemoryLogRecordExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    make: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        tracers = TracerProvider(sampler=self.sampler, shutdown_on_exit=False)
        tracers.add_span_processor(RequestSpanProcessor())
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        loggers = LoggerProvider(shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        meters = MeterProvider([self.reader], views=views(explicit_buckets=True), shutdown_on_exit=False)
        settings = Settings.read({"MITA_SERVER_PATH": self.path})
        self.instrumented = instrument(Telemetry(tracers, meters, loggers, settings))
        self.app = (self.make or application)()

    def request(self, path: str, *, kind: str = "http", incoming: list[Any] | None = None, **scope: Any) -> list[Any]:
        """Serve one request; return what was sent, and the exception that left the application."""
        sent: list[Any] = []
        waiting = list(incoming or [{"type": "http.request", "body": b"{}", "more_body": False}])

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        target, _, query = path.partition("?")
        whole = {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"shop.example:8000"), ID],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 1),
            **scope,
        }

        async def serve() -> None:
            try:
                await self.app(whole, receive, send)
            except BaseException as error:  # noqa: BLE001 - told of
                sent.append(type(error).__name__)

        # In a task of its own, as servers do.
        asyncio.run(serve())
        return sent

    def exported(self) -> Mapping[str, Any]:
        """Return everything, without what differs from run to run."""
        return {"spans": self._spans(), "points": self._points(), "logs": self._logs()}

    def _spans(self) -> list[Any]:
        found = []
        for span in self.spans.get_finished_spans():
            plain = json.loads(span.to_json())
            events = [
                {"name": e["name"], **{k: v for k, v in e["attributes"].items() if k != "exception.stacktrace"}}
                for e in plain["events"]
            ]
            kept = {name: plain[name] for name in ("name", "kind", "parent_id", "status", "attributes", "links")}
            scope = span.instrumentation_scope
            assert scope is not None
            found.append({**kept, "events": events, "scope": (scope.name, scope.version, scope.schema_url)})
        return found

    def _points(self) -> list[Any]:
        data = self.reader.get_metrics_data()
        return sorted(
            json.dumps(
                [
                    scope.scope.name,
                    metric.name,
                    metric.unit,
                    metric.description,
                    dict(sorted((point.attributes or {}).items())),
                    getattr(point, "count", getattr(point, "value", None)),
                    getattr(point, "explicit_bounds", None),
                    getattr(point, "sum", None) if "body" in metric.name else None,
                ]
            )
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name.startswith("http.server.")
            for point in metric.data.data_points
        )

    def _logs(self) -> list[Any]:
        return [
            {
                "event": item.log_record.event_name,
                "body": item.log_record.body,
                "attributes": dict(item.log_record.attributes or {}),
                "has_span": bool(item.log_record.span_id),
            }
            for item in self.logs.get_finished_logs()
        ]


def application() -> FastAPI:  # noqa: C901 - many routes
    app, mounted, router = FastAPI(), FastAPI(), APIRouter(prefix="/included")

    @app.get("/items/{item}")
    async def read(item: int) -> dict[str, Any]:
        return {"item": item, "known": get_telemetry_data() is not None}

    @app.get("/sync")
    def synchronous() -> None:
        trace.get_current_span().set_attribute("seen", True)

    @app.get("/renamed")
    async def renamed() -> None:
        trace.get_current_span().update_name("my own name")

    @app.post("/echo")
    async def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("no stock")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    @app.get("/unavailable")
    async def unavailable() -> None:
        raise HTTPException(503)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 100

        return StreamingResponse(chunks())

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(__file__)

    @app.get("/broken-stream")
    async def broken_stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            raise OSError("no more")

        return StreamingResponse(chunks())

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> None:
        def fail() -> None:
            raise KeyError("afterwards")

        tasks.add_task(fail)

    @app.get("/cancelled")
    async def cancelled() -> None:
        raise asyncio.CancelledError

    @app.websocket("/socket/{name}")
    async def socket(websocket: WebSocket, name: str) -> None:
        await websocket.accept()
        if name == "fails":
            raise RuntimeError("broken")
        await websocket.receive_text()

    @router.get("/things/{thing}")
    async def included(thing: str) -> dict[str, str]:
        return {"thing": thing}

    @mounted.get("/things/{thing}")
    async def thing(thing: str) -> dict[str, str]:
        return {"thing": thing}

    @mounted.get("/fails")
    async def mounted_fails() -> None:
        raise LookupError("mounted")

    app.include_router(router)
    app.mount("/mounted", mounted)
    return app


SOCKET = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]

REQUESTS: Mapping[str, Callable[[Service], object]] = {
    "a route": lambda s: s.request("/items/1"),
    "a query": lambda s: s.request("/items/1?a=b%20c&sig=secret&empty=&a=2&%ff=x"),
    "no such route": lambda s: s.request("/nowhere"),
    "a method that the route has not": lambda s: s.request("/items/1", method="POST"),
    "a method that no one knows": lambda s: s.request("/items/1", method="BREW"),
    "a value that is not valid": lambda s: s.request("/items/one"),
    "a body that is not valid": lambda s: s.request("/echo", method="POST", incoming=[_body(b"no json")]),
    "a body in parts": lambda s: s.request(
        "/echo", method="POST", incoming=[_body(b'{"a":', more=True), _body(b'"b"}')]
    ),
    "a thread": lambda s: s.request("/sync"),
    "a span renamed by the application": lambda s: s.request("/renamed"),
    "an exception": lambda s: s.request("/fails"),
    "a client's error": lambda s: s.request("/teapot"),
    "a server's error": lambda s: s.request("/unavailable"),
    "a stream": lambda s: s.request("/stream"),
    "a file": lambda s: s.request("/file"),
    "a file that the server sends": lambda s: s.request("/file", extensions={"http.response.pathsend": {}}),
    "a stream that breaks": lambda s: s.request("/broken-stream"),
    "background work that fails": lambda s: s.request("/background"),
    "a cancelled request": lambda s: s.request("/cancelled"),
    "an included router": lambda s: s.request("/included/things/1"),
    "a mounted application": lambda s: s.request("/mounted/things/1"),
    "a mounted application without a route": lambda s: s.request("/mounted/nothing"),
    "a mounted application that fails": lambda s: s.request("/mounted/fails"),
    "a root path": lambda s: s.request("/root/items/1", root_path="/root"),
    "a redirect": lambda s: s.request("/items/1/"),
    "an excluded path": lambda s: s.request("/health"),
    "a caller's trace": lambda s: s.request("/items/1", headers=[ID, (b"traceparent", PARENT.encode())]),
    "a caller's trace that is not valid": lambda s: s.request("/items/1", headers=[ID, (b"traceparent", b"nonsense")]),
    "no host": lambda s: s.request("/items/1", headers=[ID]),
    "a host without port": lambda s: s.request("/items/1", scheme="https", headers=[ID, (b"host", b"shop.example")]),
    "a host that is none": lambda s: s.request("/items/1", headers=[ID, (b"host", b"u:p@shop/x?y#z")]),
    "a host that cannot be read": lambda s: s.request(
        "/items/1", headers=[ID, (b"host", b"[::1:99999"), (b"host", b"b")]
    ),
    "HTTP/2": lambda s: s.request("/items/1", http_version="2"),
    "a socket": lambda s: s.request("/socket/a", kind="websocket", scheme="ws", incoming=SOCKET),
    "a socket that fails": lambda s: s.request("/socket/fails", kind="websocket", scheme="ws", incoming=SOCKET),
    "a socket that hangs up": lambda s: s.request(
        "/socket/a", kind="websocket", scheme="ws", incoming=[SOCKET[0], {"type": "websocket.disconnect", "code": 1001}]
    ),
    "many requests": lambda s: [s.request(f"/items/{number}") for number in range(3)],
}


def _body(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def _served(path: str, ask: Callable[[Service], object], **options: Any) -> tuple[object, Mapping[str, Any]]:
    service = Service(path, **options)
    try:
        return ask(service), service.exported()
    finally:
        service.instrumented.undo()


@pytest.mark.parametrize("name", REQUESTS)
def test_our_own_path_exports_what_native_telemetry_does(name: str) -> None:
    answer, exported = _served("ours", REQUESTS[name])
    native_answer, native = _served("native", REQUESTS[name])
    assert answer == native_answer
    assert exported == native
    assert name == "an excluded path" or exported["spans"]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_not_sampled_is_measured_and_logged_all_the_same(name: str) -> None:
    answer, exported = _served("ours", REQUESTS[name], sampler=ALWAYS_OFF)
    native_answer, native = _served("native", REQUESTS[name], sampler=ALWAYS_OFF)
    assert (answer, exported) == (native_answer, native)
    assert exported["spans"] == []


@pytest.mark.parametrize("path", ["ours", "native"])
def test_one_request_is_one_server_span_and_one_duration(path: str) -> None:
    service = Service(path)
    try:
        for target in ("/items/1", "/included/things/1", "/mounted/things/1", "/fails"):
            service.request(target)
        exported = service.exported()
    finally:
        service.instrumented.undo()
    assert service.instrumented.path == path
    assert [span["name"] for span in exported["spans"]] == [
        "GET /items/{item}",
        "GET /included/things/{thing}",
        "GET /mounted/things/{thing}",
        "GET /fails",
    ]
    durations = [json.loads(point) for point in exported["points"] if '"http.server.request.duration"' in point]
    assert [point[5] for point in durations] == [1, 1, 1, 1]


def test_an_application_that_tells_fastapi_how_to_trace_is_left_to_it() -> None:
    spans = InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))

    def make() -> FastAPI:
        app = FastAPI(telemetry={"tracer_provider": tracers})

        @app.get("/items/{item}")
        async def read(item: int) -> None:
            pass

        return app

    _, exported = _served("ours", lambda service: service.request("/items/1"), make=make)
    assert exported["spans"] == []
    assert [span.name for span in spans.get_finished_spans()] == ["GET /items/{item}"]


def test_an_application_with_contribs_middleware_is_left_to_that() -> None:
    def make() -> FastAPI:
        app = application()
        app.add_middleware(
            OpenTelemetryMiddleware,
            tracer_provider=trace.NoOpTracerProvider(),
            meter_provider=metrics.NoOpMeterProvider(),
        )
        return app

    _, exported = _served("ours", lambda service: service.request("/items/1"), make=make)
    assert exported["spans"] == []


def test_requests_under_way_are_counted_while_they_are() -> None:
    seen: list[list[Any]] = []

    def make() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def look() -> None:
            seen.append([json.loads(point) for point in services[0]._points() if "active_requests" in point])

        return app

    services: list[Service] = []
    services.append(Service("ours", make=make))
    try:
        services[0].request("/")
        after = [json.loads(point) for point in services[0]._points() if "active_requests" in point]
    finally:
        services[0].instrumented.undo()
    assert [point[4:6] for point in seen[0]] == [[{"http.request.method": "GET", "url.scheme": "http"}, 1]]
    assert [point[5] for point in after] == [0]


@pytest.mark.parametrize(("sent", "searches"), [([], 0), ([(b"traceparent", PARENT.encode())], 1)])
def test_a_callers_context_is_looked_for_only_where_one_was_sent(
    monkeypatch: pytest.MonkeyPatch, sent: list[tuple[bytes, bytes]], searches: int
) -> None:
    extract, searched = propagate.extract, []

    def counting(*given: Any, **named: Any) -> Any:
        searched.append(given)
        return extract(*given, **named)

    before = propagate.get_global_textmap()
    propagate.set_global_textmap(propagator())
    monkeypatch.setattr(propagate, "extract", counting)
    try:
        _served("ours", lambda service: service.request("/items/1", headers=[ID, *sent]))
    finally:
        propagate.set_global_textmap(before)
    assert len(searched) == searches


@pytest.mark.parametrize("path", ["ours", "native"])
def test_an_application_finds_what_fastapi_knows_of_its_request_in_the_requests_own_context(path: str) -> None:
    found: list[tuple[TelemetryData | None, TelemetryData | None]] = []

    def asking() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def ask() -> None:
            found.append((get_telemetry_data(), get_telemetry_data(Context())))

        return app

    service = Service(path, make=asking)
    try:
        service.request("/")
    finally:
        service.instrumented.undo()
    assert [(type(own), of_another) for own, of_another in found] == [(TelemetryData, None)]
    assert get_telemetry_data() is None


@pytest.mark.parametrize("api", [None, ModuleType("fastapi_to_come")])
def test_a_fastapi_that_has_other_names_for_its_telemetry_is_left_as_it_is(api: ModuleType | None) -> None:
    def now() -> list[Any]:
        return [dict(vars(_api)), dict(vars(api)) if api is not None else None]

    before = now()
    look_directly(api, api, Patches())
    assert now() == before


def test_undone_it_leaves_fastapi_as_it_was() -> None:
    def now() -> list[Any]:
        return [fastapi.FastAPI.__call__, fastapi.FastAPI.__init__, dict(vars(_api)), dict(vars(fastapi.routing))]

    before = now()
    Service("ours").instrumented.undo()
    assert now() == before
