"""A request that is served within another one: of an application that calls itself, or another one beside it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider

from mita_otel import correlation
from mita_otel.settings import Settings
from mita_otel.traces import request
from mita_otel.web.server import ServerLayer
from tests.unit.web.layered import within

Handler = Callable[[], Awaitable[None]]
_serve = within(ServerLayer(Settings.read({}), NoOpMeterProvider()))


async def _serve_with(handler: Handler, correlation_id: str) -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        await handler()

    headers = [(b"x-correlation-id", correlation_id.encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": headers}

    async def unused(*_: Any) -> Any:
        raise AssertionError("nothing is received or sent")

    await _serve(application, scope, unused, unused)


async def _inner() -> None:
    assert correlation.current() == "inner"


async def _nothing() -> None:
    pass


@pytest.mark.parametrize("times", [1, 2])
async def test_the_outer_request_is_the_current_one_again_after_each_inner_one(times: int) -> None:
    found: list[tuple[bool, str | None]] = []

    async def outer() -> None:
        before = request.current()
        for _ in range(times):
            await _serve_with(_inner, "inner")
            found.append((request.current() is before, correlation.current()))

    await _serve_with(outer, "outer")
    assert found == [(True, "outer")] * times


async def test_the_outermost_of_three_is_found_again() -> None:
    found: list[str | None] = []

    async def middle() -> None:
        await _serve_with(_inner, "inner")
        found.append(correlation.current())

    async def outer() -> None:
        await _serve_with(middle, "middle")
        found.append(correlation.current())

    await _serve_with(outer, "outer")
    assert found == ["middle", "outer"]


async def test_a_request_that_a_task_of_another_one_serves_keeps_its_id_for_the_servers_last_words() -> None:
    found: list[str | None] = []

    async def serve() -> None:
        await _serve_with(_inner, "inner")
        found.append(correlation.current())

    async def outer() -> None:
        await asyncio.create_task(serve())
        found.append(correlation.current())

    await _serve_with(outer, "outer")
    assert found == ["inner", "outer"]


async def test_a_request_keeps_its_id_though_its_task_was_begun_by_the_one_before() -> None:
    found: list[str | None] = []
    contexts = []

    async def first() -> None:
        contexts.append(copy_context())

    async def second() -> None:
        await _serve_with(_nothing, "second")
        found.append(correlation.current())

    await asyncio.create_task(_serve_with(first, "first"))
    await asyncio.create_task(second(), context=contexts[0])
    assert found == ["second"]


async def test_asking_whether_a_request_is_served_here_changes_nothing() -> None:
    async def outer() -> None:
        served = request.current()
        assert served is not None
        assert [request.is_served_here(served) for _ in range(2)] == [True, True]
        assert request.current() is served
        assert not copy_context().run(request.is_served_here, served)

    await _serve_with(outer, "outer")
