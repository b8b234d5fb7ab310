"""What retries and deadlines add to calls that go well: `python -m benchmarks.retries`, `--write` for the page."""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from benchmarks.breakers.page import write
from mita_otel.retries import Registry, Retry, TimeLimit
from mita_otel.retries.deadline import Deadline, begin, restore
from mita_otel.retries.httpx import DeadlineTransport
from mita_otel.retries.sqlalchemy import spend_deadlines
from mita_otel.settings import RetrySettings
from mita_otel.web.deadline import Deadlines

PAGE: Final = Path(__file__).parent.parent / "docs" / "retries-and-deadlines.md"
ROUNDS: Final = 60
CALLS: Final = 500

Call = Callable[[], Awaitable[Any]]


class Instant(httpx.AsyncBaseTransport):
    """Answers without a network."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        return httpx.Response(200, request=request)


async def _nothing() -> None:
    """Return at once."""


async def _application(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _asking(app: Any) -> Call:
    headers = [(b"host", b"service"), *((b"x-header-%d" % number, b"value") for number in range(10))]

    async def send(_message: Any) -> None:
        """Take it."""

    async def ask() -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": headers}
        await app(scope, None, send)

    return ask


def _executing(*, spends: bool) -> Call:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    if spends:
        spend_deadlines(engine)
    connection, statement = engine.connect(), text("SELECT 1")

    async def execute() -> None:
        connection.execute(statement)

    return execute


def _sending(transport: httpx.AsyncBaseTransport) -> Call:
    request = httpx.Request("GET", "http://service/")
    return lambda: transport.handle_async_request(request)


def _within(call: Call) -> Call:
    """Make a call under a deadline that is far away, whose own cost is the middleware's."""

    async def within() -> None:
        token = begin(Deadline(30.0))
        try:
            await call()
        finally:
            restore(token)

    return within


async def _limited() -> None:
    async with TimeLimit():
        pass


async def _timed() -> None:
    async with asyncio.timeout(30):  # noqa: ASYNC100 - its cost is what is asked for
        pass


def pairs() -> dict[str, tuple[Call, Call]]:
    """Return what is measured, by name: without us, and with us."""
    retry = Retry("bench", registry=Registry())
    served = Deadlines(_application, settings=RetrySettings.model_validate({}))
    bare, spending = _sending(Instant()), _sending(DeadlineTransport(Instant()))
    plain, told = _executing(spends=False), _executing(spends=True)
    return {
        "a call with retries, `Retry.call_async`": (_nothing, lambda: retry.call_async(_nothing)),
        "`TimeLimit()` without a deadline": (_nothing, _limited),
        "httpx without a deadline": (bare, spending),
        "a statement without a deadline": (plain, told),
        "a request with a deadline, `Deadlines`": (_asking(_application), _asking(served)),
        "httpx with a deadline": (_within(bare), _within(spending)),
        "a statement with a deadline far away": (_within(plain), _within(told)),
        "for comparison: `asyncio.timeout(30)`": (_nothing, _timed),
    }


async def _seconds(call: Call, calls: int) -> float:
    began = time.thread_time()  # of this thread alone: the machine may be busy
    for _ in range(calls):
        await call()
    return (time.thread_time() - began) / calls


async def measure(rounds: int, calls: int = CALLS) -> dict[str, float]:
    """Return the microseconds that each adds."""
    found: dict[str, list[float]] = {}
    measured = pairs()
    for _ in range(rounds):
        for name, (without, with_us) in measured.items():
            before = await _seconds(without, calls)
            found.setdefault(name, []).append((await _seconds(with_us, calls) - before) * 1e6)
    return {name: max(0.0, statistics.median(each)) for name, each in found.items()}


def table(found: dict[str, float]) -> str:
    """Return the page's table."""
    lines = ["| | adds |", "|---|---|", *(f"| {name} | {cost:.1f} us |" for name, cost in found.items())]
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--write", action="store_true", help="put the table into the documentation")
    asked = arguments.parse_args()
    lines = table(asyncio.run(measure(asked.rounds)))
    print(lines)
    if asked.write:
        write("benchmarks.retries", lines, PAGE)


if __name__ == "__main__":
    main()
