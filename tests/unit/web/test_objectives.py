"""What becomes of a request decides which of its objectives' events is counted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel import slo
from mita_otel.settings import Settings
from mita_otel.web.server import ServerLayer
from tests.unit.slo import openslo
from tests.unit.web.layered import within

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Route:
    path = "/orders/{id}"


@pytest.fixture
def objectives() -> Iterator[slo.Objectives]:
    specification = openslo.specification(
        openslo.slo("available"), openslo.slo("fast", about="latency", ratio=openslo.LATENCY)
    )
    made = slo.Objectives(specification)
    slo.use(made)
    yield made
    slo.use(None)


async def _serve(application: Application, *, gone: bool = False, path: str = "/orders/1") -> None:
    serve = within(
        ServerLayer(Settings.read({"MITA_EXCLUDED_PATHS": "/health"}), MeterProvider(shutdown_on_exit=False))
    )

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return

    scope: dict[str, Any] = {"type": "http", "path": path, "headers": [], "method": "GET", "route": Route}
    await serve(application, scope, receive, send)


def _answering(status: int, *, complete: bool = True, wait: float = 0) -> Application:
    async def application(_: Any, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.sleep(wait)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": not complete})

    return application


async def test_an_answer_is_good_and_fast(objectives: slo.Objectives) -> None:
    await _serve(_answering(200))
    assert objectives.totals() == {"available": (1, 0), "fast": (1, 0)}


async def test_an_answer_that_took_too_long_is_good_and_slow(objectives: slo.Objectives) -> None:
    await _serve(_answering(200, wait=0.25))
    assert objectives.totals() == {"available": (1, 0), "fast": (0, 1)}


async def test_an_exception_is_bad_though_nothing_was_answered(objectives: slo.Objectives) -> None:
    async def application(*_: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await _serve(application)
    assert objectives.totals() == {"available": (0, 1), "fast": (0, 0)}


async def test_an_answer_that_breaks_off_is_bad_whatever_it_began_with(objectives: slo.Objectives) -> None:
    begin = _answering(200, complete=False)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await begin(scope, receive, send)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await _serve(application)
    assert objectives.totals()["available"] == (0, 1)


async def test_what_fails_after_the_answer_is_complete_does_not_change_it(objectives: slo.Objectives) -> None:
    answer = _answering(200)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await _serve(application)
    assert objectives.totals()["available"] == (1, 0)


async def test_a_client_that_left_before_the_answer_is_not_counted(objectives: slo.Objectives) -> None:
    await _serve(_answering(200, complete=False), gone=True)
    assert objectives.totals()["available"] == (0, 0)


async def test_a_cancelled_request_is_not_counted(objectives: slo.Objectives) -> None:
    async def application(*_: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await _serve(application)
    assert objectives.totals()["available"] == (0, 0)


async def test_an_excluded_path_is_not_counted(objectives: slo.Objectives) -> None:
    await _serve(_answering(500), path="/health")
    assert objectives.totals()["available"] == (0, 0)
