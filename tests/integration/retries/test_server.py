"""Deadlines behind a real server, over real connections."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from mita_otel.retries import remaining
from mita_otel.settings import RetrySettings
from mita_otel.web.deadline import Deadlines
from tests.fixtures.polling import eventually_async, find_free_port


def application(left: list[float]) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Deadlines, settings=RetrySettings.model_validate({}))

    @app.get("/never")
    async def never() -> None:
        left.append(remaining())
        await asyncio.Event().wait()

    @app.get("/now")
    async def now() -> float:
        left.append(remaining())
        return left[-1]

    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    port = find_free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # older ones have it
    serving = asyncio.create_task(server.serve())
    await eventually_async(lambda: _true(server.started))
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def _true(value: Any) -> bool:
    return bool(value)


async def test_a_connection_serves_on_after_a_request_that_was_answered_for() -> None:
    left: list[float] = []
    async with served(application(left)) as url, httpx.AsyncClient(base_url=url) as client:
        for _ in range(3):
            began = time.monotonic()
            late = await client.get("/never", headers={"x-request-timeout": "200ms"})
            assert late.status_code == 504
            assert 0.1 < time.monotonic() - began < 5.0
            assert (await client.get("/now")).status_code == 200
    assert [each > 20 for each in left] == [False, True] * 3


async def test_two_requests_sent_at_once_over_one_connection_have_a_deadline_each() -> None:
    left: list[float] = []
    async with served(application(left)) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /never HTTP/1.1\r\nhost: x\r\nx-request-timeout: 100ms\r\n\r\n"
            b"GET /now HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert (received.count(b"HTTP/1.1 504"), received.count(b"HTTP/1.1 200")) == (1, 1)
    assert left[1] > 20


async def test_a_client_that_goes_away_costs_its_request_nothing_but_its_time() -> None:
    left: list[float] = []
    async with served(application(left)) as url, httpx.AsyncClient(base_url=url) as client:
        asking = asyncio.create_task(client.get("/never", headers={"x-request-timeout": "300ms"}))
        await eventually_async(lambda: _true(left))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await client.get("/now")).status_code == 200
