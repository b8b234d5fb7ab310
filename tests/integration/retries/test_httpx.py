import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from mita_otel.libraries import httpx as instrumentation
from mita_otel.retries import OutOfTimeError, Policy, Registry, Retry, TimeLimit
from mita_otel.retries.httpx import DeadlineTransport
from tests.integration.retries.conftest import client_of
from tests.unit.libraries.recording import Recording

Handler = Any


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server that does to each connection what a test says."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()


async def headers_of(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with the headers that it got."""
    while True:
        body = json.dumps(await headers_of(reader)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Takes a request and answers nothing."""
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins an answer, and sends a byte of it now and then: each read alone is quick."""
    await headers_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ends every connection at once."""
    writer.transport.abort()


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers what is no HTTP."""
    await headers_of(reader)
    writer.write(b"\x00\xff garbage\r\n\r\n")
    await writer.drain()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=DeadlineTransport(), timeout=30) as client:
        yield client


@pytest.mark.parametrize("handler", [hang, drip], ids=["hangs", "drips"])
async def test_a_request_ends_with_the_deadline(client: httpx.AsyncClient, handler: Handler) -> None:
    async with serving(handler) as url:
        began = time.monotonic()
        with pytest.raises(OutOfTimeError), TimeLimit(0.3):
            await client.get(url)
        assert 0.2 < time.monotonic() - began < 5.0


async def test_what_is_cancelled_with_its_request_counts_as_a_timeout(recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        with recording.request():
            async with httpx.AsyncClient(timeout=30) as client:
                await client.get(url)

    async with serving(hang) as url, client_of(app) as caller:
        assert (await caller.get("/", headers={"x-request-timeout": "0.3"})).status_code == 504
    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "timeout"
    assert [(point["scope"], value) for point, value in recording.points("mita.timeouts") if value] == [("external", 1)]


async def test_a_connection_that_was_given_up_is_not_used_again(client: httpx.AsyncClient) -> None:
    answers: list[bytes] = []

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await headers_of(reader)
        answers.append(b"%d" % len(answers))
        if len(answers) == 1:
            await reader.read()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + answers[-1])
        await writer.drain()

    async with serving(late) as url:
        with pytest.raises(OutOfTimeError), TimeLimit(0.2):
            await client.get(url)
        assert (await client.get(url)).text == "1"


async def test_what_is_left_is_passed_on(client: httpx.AsyncClient) -> None:
    async with serving(echo) as url:
        with TimeLimit(2.0):
            told = (await client.get(url)).json()
        assert "x-request-timeout" not in (await client.get(url)).json()
    assert 1.0 < float(told["x-request-timeout"]) <= 2.0
    assert int(told["x-envoy-expected-rq-timeout-ms"]) == round(float(told["x-request-timeout"]) * 1000)


async def test_what_is_left_stays_here_if_asked_to() -> None:
    async with serving(echo) as url, httpx.AsyncClient(transport=DeadlineTransport(passes_on=False)) as client:
        with TimeLimit(2.0):
            assert "x-request-timeout" not in (await client.get(url)).json()


async def test_a_hanging_dependency_is_answered_in_time_and_the_trace_shows_it(
    client: httpx.AsyncClient, recording: Recording
) -> None:
    instrumentation.instrument(recording.telemetry)
    async with serving(hang) as url:

        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            with recording.request():
                await client.get(url)

        async with client_of(app) as caller:
            began = time.monotonic()
            answer = await caller.get("/", headers={"grpc-timeout": "500m"})
            took = time.monotonic() - began
    assert answer.status_code == 504
    assert 0.3 < took < 2.0  # 0.6 on a machine of its own
    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "timeout"


async def test_a_request_that_is_sent_again_says_so(client: httpx.AsyncClient, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    sent = 0

    async def at_last(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await headers_of(reader)
        sent += 1
        writer.write(b"HTTP/1.1 %d -\r\ncontent-length: 0\r\n\r\n" % (200 if sent == 3 else 503))
        await writer.drain()

    retry = Retry("flaky", Policy(base_seconds=0.001), registry=Registry())

    async def get(url: str) -> int:
        return (await client.get(url)).raise_for_status().status_code

    async with serving(at_last) as url:
        with recording.request():
            assert await retry.call_async(get, url) == 200
    counts = [(span.attributes or {}).get("http.request.resend_count") for span in recording.calls]
    assert counts == [None, 1, 2]
    [request] = [span for span in recording.finished if span.name == "request"]
    assert [event.name for event in request.events] == ["mita.retry.scheduled"] * 2
    assert retry.statistics.amplification == 3.0


@pytest.mark.parametrize("handler", [reset, garbage], ids=["resets", "answers garbage"])
async def test_a_connection_that_breaks_is_tried_again(client: httpx.AsyncClient, handler: Handler) -> None:
    retry = Retry("broken", Policy(base_seconds=0.001), registry=Registry())
    async with serving(handler) as url:
        with pytest.raises(httpx.TransportError):
            await retry.for_request("GET").call_async(client.get, url)
        assert retry.statistics.attempts == 3
        with pytest.raises(httpx.TransportError):
            await retry.for_request("POST").call_async(client.post, url)
    assert (retry.statistics.attempts, retry.statistics.exhausted["not_idempotent"]) == (4, 1)


async def test_a_server_that_is_not_there_has_done_nothing(client: httpx.AsyncClient, free_port: int) -> None:
    retry = Retry("gone", Policy(base_seconds=0.001), registry=Registry())
    with pytest.raises(httpx.ConnectError):
        await retry.for_request("POST").call_async(client.post, f"http://127.0.0.1:{free_port}")
    assert retry.statistics.attempts == 3, "what was never sent may be sent, whatever it does"


async def test_a_cancelled_caller_ends_the_request(client: httpx.AsyncClient) -> None:
    async with serving(hang) as url:
        with TimeLimit(30.0):
            asking = asyncio.create_task(client.get(url))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
