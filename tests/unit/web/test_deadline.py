import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from math import inf
from typing import Any

import pytest
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry import metrics
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mita_otel.libraries.fastapi import instrument
from mita_otel.libraries.model import Telemetry
from mita_otel.retries import OutOfTimeError, TimeLimit, check, remaining
from mita_otel.retries import deadline as room
from mita_otel.retries.deadline import current
from mita_otel.settings import RetrySettings, Settings, SettingsError
from mita_otel.web.deadline import Deadlines
from mita_otel.web.exchange import OUT_OF_TIME_KEY
from mita_otel.web.problems import install

Message = dict[str, Any]
HALF = {"x-request-timeout": "0.05"}


class Exchange:
    """A request to an application, as a server makes it: what was sent, and when."""

    def __init__(self, app: Any, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None) -> None:
        self._app = app
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50_000),
        }
        self.sent: list[Message] = []
        self.answered_after = inf

    async def run(self) -> "Exchange":
        began = time.monotonic()
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            self.sent.append(message)
            if message["type"] == "http.response.start":
                self.answered_after = time.monotonic() - began

        await self._app(self.scope, receive, send)
        return self

    @property
    def status(self) -> int:
        starts = [message for message in self.sent if message["type"] == "http.response.start"]
        assert len(starts) == 1, "there is exactly one answer"
        found: int = starts[0]["status"]
        return found

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def settings(**values: Any) -> RetrySettings:
    return RetrySettings.model_validate(values)


def with_deadlines(app: Any, **options: Any) -> Any:
    return Deadlines(app, settings=options.pop("settings", settings()), **options)


async def answer(send: Any, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def never(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.Event().wait()


async def test_an_application_that_answers_is_left_alone() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send)

    assert (await Exchange(with_deadlines(app)).run()).status == 200


async def test_one_that_does_not_is_answered_for() -> None:
    asked = await Exchange(with_deadlines(never), headers=HALF).run()
    told = json.loads(asked.body)
    assert asked.status == 504
    assert (told["success"], told["error"]["code"], told["status"]) == (False, "TIMEOUT_8001", 504)


async def test_the_answer_does_not_wait_for_an_application_that_does_not_let_go() -> None:
    let_go = asyncio.Event()

    async def stubborn(_scope: Any, _receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await let_go.wait()
            await answer(send)

    asked = Exchange(with_deadlines(stubborn), headers=HALF)
    running = asyncio.create_task(asked.run())
    while not asked.sent:  # noqa: ASYNC110 - the answer is what is waited for
        await asyncio.sleep(0.005)
    assert not running.done()
    let_go.set()
    await running
    assert asked.status == 504, "what it sends in the end goes nowhere"


async def test_the_answer_does_not_wait_for_a_thread() -> None:
    release = threading.Event()
    app = FastAPI()
    app.add_middleware(Deadlines, settings=settings())

    @app.get("/")
    def slow() -> None:
        release.wait(10)

    asked = Exchange(app, headers=HALF)
    running = asyncio.create_task(asked.run())
    while not asked.sent:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.005)
    release.set()
    await running
    assert asked.status == 504


async def test_a_stream_is_not_cut_off() -> None:
    app = FastAPI()
    app.add_middleware(Deadlines, settings=settings())

    async def parts() -> AsyncIterator[bytes]:
        for number in range(4):
            await asyncio.sleep(0.03)
            check()
            yield b"%d" % number

    @app.get("/")
    async def stream() -> StreamingResponse:
        return StreamingResponse(parts())

    assert (await Exchange(app, headers=HALF).run()).body == b"0123"


async def test_background_work_has_no_deadline() -> None:
    app = FastAPI()
    app.add_middleware(Deadlines, settings=settings())
    left: list[float] = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        left.append(remaining())

    @app.get("/")
    async def route(background: BackgroundTasks) -> None:
        left.append(remaining())
        background.add_task(work)

    assert (await Exchange(app, headers=HALF).run()).status == 200
    assert left[0] < 0.05
    assert left[1] == inf


async def test_a_task_that_was_started_on_the_way_has_a_deadline_until_the_answer_begins() -> None:
    left: list[float] = []
    tasks: list[asyncio.Task[None]] = []

    async def work(answered: asyncio.Event) -> None:
        left.append(remaining())
        await answered.wait()
        left.append(remaining())

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        answered = asyncio.Event()
        tasks.append(asyncio.create_task(work(answered)))
        await asyncio.sleep(0)
        await answer(send)
        answered.set()

    await Exchange(with_deadlines(app)).run()
    await tasks[0]
    assert 29 < left[0] < 30
    assert left[1] == inf


async def test_time_that_a_client_has_used_up_is_the_requests() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError from OutOfTimeError("database")

    assert (await Exchange(with_deadlines(app)).run()).status == 504


async def test_it_may_be_one_of_several_failures() -> None:
    async def late() -> None:
        raise OutOfTimeError("external")

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(late())

    assert (await Exchange(with_deadlines(app)).run()).status == 504


@pytest.mark.parametrize("is_late", [True, False])
async def test_a_timeout_that_the_application_answers_is_the_requests_if_a_server_kept_to_its_deadline(
    *, is_late: bool
) -> None:
    scopes: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scopes.append(scope)
        deadline = current()
        assert deadline is not None
        if is_late:
            deadline.expire()
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body"})

    assert (await Exchange(with_deadlines(app)).run()).status == 504
    assert (OUT_OF_TIME_KEY in scopes[0]) is is_late


async def test_other_failures_are_not_ours() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise TimeoutError("of the application's own")

    with pytest.raises(TimeoutError, match="own"):
        await Exchange(with_deadlines(app)).run()


async def test_a_failure_after_the_answer_began_goes_on() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise OutOfTimeError("external")

    with pytest.raises(OutOfTimeError):
        await Exchange(with_deadlines(app)).run()


async def test_who_cancels_a_request_is_obeyed() -> None:
    running = asyncio.create_task(Exchange(with_deadlines(never)).run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_cancellation_at_the_deadline_is_not_lost() -> None:
    """Both interrupt the task at once; who waits for it must be told of theirs."""
    begun = asyncio.Event()

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(Exchange(with_deadlines(app), headers=HALF).run())
    await begun.wait()
    asyncio.get_running_loop().call_later(0.02, running.cancel)
    time.sleep(0.1)  # noqa: ASYNC251 - so that both are due at once
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_task_of_the_server_is_as_before() -> None:
    await Exchange(with_deadlines(never), headers=HALF).run()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)
    assert remaining() == inf


async def test_the_next_request_of_a_connection_begins_anew() -> None:
    """A server may serve it in the context of the one before, whose time is over."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        check()
        await answer(send)

    token = room.begin(room.Deadline(-1.0))
    try:
        assert (await Exchange(with_deadlines(app)).run()).status == 200
    finally:
        room.restore(token)


async def test_a_mounted_application_has_no_more_than_its_parent() -> None:
    left: list[float] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        left.append(remaining())
        await answer(send)

    mounted = with_deadlines(inner, routes={"/*": 1000.0})
    await Exchange(with_deadlines(mounted, routes={"/*": 2.0})).run()
    assert left[0] < 2


async def test_a_deadline_leaves_time_to_answer() -> None:
    left: list[float] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        left.append(remaining())
        await answer(send)

    for seconds in ("10", "0.1"):
        await Exchange(with_deadlines(app), headers={"x-request-timeout": seconds}).run()
    assert left[0] < 9.951
    assert left[1] < 0.0901


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/", {}, 30),
        ("/", {"grpc-timeout": "2S"}, 2),
        ("/", {"grpc-timeout": "99999999H"}, 120),
        ("/", {"grpc-timeout": "2S", "x-envoy-expected-rq-timeout-ms": "1500"}, 1.5),
        ("/", {"grpc-timeout": "soon", "x-envoy-expected-rq-timeout-ms": "1500"}, 1.5),
        ("/", {"grpc-timeout": "1n"}, 1.2),
        ("/things/7", {}, 60),
        ("/things/7", {"x-request-timeout": "90"}, 60),
        ("/things/7", {"x-request-timeout": "3"}, 3),
        ("/things/special", {}, 70),
        ("/reports/a/b", {}, 50),
        ("/fast", {}, 5),
    ],
)
async def test_a_request_has_the_time_of_its_route_within_which_its_caller_may_choose(
    path: str, headers: dict[str, str], expected: float
) -> None:
    left: list[float] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        left.append(remaining())
        await answer(send)

    routes = {"/things/{thing}": 60.0, "/things/special": 70.0, "/reports/*": 40.0, "GET /fast": 5.0}
    given = settings(MITA_ROUTE_TIMEOUTS="/reports/*=50", MITA_REQUEST_TIMEOUT_MINIMUM="1.2")
    await Exchange(with_deadlines(app, routes=routes, settings=given), path, headers=headers).run()
    assert expected - 1 < left[0] < expected


async def test_a_route_may_have_all_the_time_there_is() -> None:
    left: list[float] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        left.append(remaining())
        await answer(send)

    await Exchange(with_deadlines(app, routes={"/": inf})).run()
    assert left == [inf]


async def test_callers_that_are_not_trusted_choose_nothing() -> None:
    app = with_deadlines(never, routes={"/": 0.05}, settings=settings(MITA_INBOUND_DEADLINE="ignore"))
    assert (await Exchange(app, headers={"x-request-timeout": "0.000001"}).run()).answered_after > 0.04


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), True])
def test_nonsense_is_refused_with_its_route(seconds: float) -> None:
    with pytest.raises(ValueError, match="/things"):
        with_deadlines(never, routes={"/things": seconds})


def test_a_route_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="things"):
        with_deadlines(never, routes={"things": 1.0})


@pytest.mark.parametrize(
    "value", ["x", "/a", "/a=", "/a=0", "/a=-1", "/a=99999", "/a=1e3", "FETCH /a=1", "/a=1 /b=2", "/a=nan"]
)
def test_a_setting_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="MITA_ROUTE_TIMEOUTS"):
        Settings.read({"MITA_ROUTE_TIMEOUTS": value})


async def test_other_protocols_pass_through() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])
        assert remaining() == inf

    room.begin(room.Deadline(-1.0))  # of the request that the connection was opened for
    for kind in ("lifespan", "websocket"):
        await with_deadlines(app)({"type": kind, "path": "/", "headers": []}, None, None)
    assert seen == ["lifespan", "websocket"]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    for module in (
        "mita_otel.retries.deadline.get_meter_provider",
        "opentelemetry.metrics._internal.get_meter_provider",
    ):
        monkeypatch.setattr(module, lambda: provider)
    return reader


def counted(reader: InMemoryMetricReader, name: str, attribute: str) -> dict[Any, float]:
    data = reader.get_metrics_data()
    assert data is not None
    return {
        (point.attributes or {}).get(attribute): point.value  # type: ignore[union-attr]  # a counter's
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
        if getattr(point, "value", 0)
    }


async def test_what_runs_out_of_time_is_counted_once(reader: InMemoryMetricReader) -> None:
    async def late(_scope: Any, _receive: Any, _send: Any) -> None:
        async with TimeLimit(10, scope="external"):
            await asyncio.Event().wait()

    await Exchange(with_deadlines(never), headers=HALF).run()
    assert counted(reader, "mita.timeouts", "scope") == {"request": 1}
    # Long enough that a busy machine is not late for the inner limit by what the outer one keeps to itself.
    await Exchange(with_deadlines(late), headers={"x-request-timeout": "1"}).run()
    assert counted(reader, "mita.timeouts", "scope") == {"request": 2, "external": 1}


async def test_telemetry_that_fails_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_scope: str) -> None:
        raise RuntimeError("no counter today")

    monkeypatch.setattr("mita_otel.web.deadline.count", fail)
    assert (await Exchange(with_deadlines(never), headers=HALF).run()).status == 504


async def test_headers_that_say_nothing_sensible_are_counted(reader: InMemoryMetricReader) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send)

    await Exchange(with_deadlines(app), headers={"grpc-timeout": "-1S", "x-request-timeout": "soon"}).run()
    assert counted(reader, "mita.deadline.malformed_headers", "header") == {"grpc-timeout": 1, "x-request-timeout": 1}


@pytest.mark.parametrize("path", ["ours", "native"])
@pytest.mark.parametrize("cut", ["by us", "by a client"])
async def test_the_trace_shows_it_and_the_answer_is_in_the_applications_own_form(path: str, cut: str) -> None:
    spans = InMemorySpanExporter()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    given = Settings.read({"MITA_SERVER_PATH": path})
    instrumented = instrument(
        Telemetry(tracers, MeterProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False), given)
    )
    try:
        app = FastAPI()
        app.add_middleware(Deadlines, settings=settings())
        install(app, given)

        @app.get("/things/{thing}")
        async def route(thing: int) -> None:
            if cut == "by a client":
                async with TimeLimit():
                    await asyncio.Event().wait()
            await asyncio.Event().wait()

        asked = await Exchange(app, "/things/7", headers=HALF).run()
    finally:
        instrumented.undo()
    assert asked.status == 504
    assert json.loads(asked.body)["error"]["code"] == "TIMEOUT_8001"
    [span] = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["http.route"] == "/things/{thing}"
    assert span.attributes["mita.deadline.source"] == "x-request-timeout"
    assert "mita.deadline.exceeded" in [event.name for event in span.events]
    if path == "ours":
        assert span.attributes["error.type"] == "timeout"
