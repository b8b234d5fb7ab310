"""OTLP over HTTP: `POST /v1/traces`, `/v1/metrics` and `/v1/logs`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mita_otel.console.receive.answers import JSON, PROTOBUF, body_of
from mita_otel.console.receive.body import LIMIT, Budget, RefusedError
from mita_otel.console.receive.intake import Intake
from mita_otel.console.receive.transaction import UNAVAILABLE, Answer, Asked
from mita_otel.console.store.writing import Signal

_READ_SECONDS: Final = 30.0
"""How long a body may take to come."""
_DISCARDED: Final = 4 * LIMIT
"""Bytes of a refused body that are read all the same: most clients read the answer only after they sent all."""
_ENCODINGS: Final = {"": False, "identity": False, "gzip": True, "x-gzip": True}


def routes(intake: Intake, budget: Budget) -> list[Route]:
    """Return the routes of the three signals."""
    return [Route(f"/v1/{signal}", Receiver(signal, intake, budget)) for signal in Signal]


class Body:
    """Reads the body of a request within the budget of all of them."""

    def __init__(self, receive: Receive, budget: Budget) -> None:
        self._receive = receive
        self._budget = budget
        self._taken = 0
        self.is_complete = False

    async def read(self) -> bytes:
        """Return the body.

        Raises:
            RefusedError: it is too long (413), comes too slowly (408), or there is no room for it now (503).
        """
        chunks = []
        async with _deadline():
            while not self.is_complete:
                chunk = await self._next()
                if self._taken + len(chunk) > LIMIT:
                    raise RefusedError(413, f"the body has more than {LIMIT} bytes: send smaller batches")
                if not self._budget.take(len(chunk)):
                    raise RefusedError(503, "too much is waiting to be stored")
                self._taken += len(chunk)
                chunks.append(chunk)
        return b"".join(chunks)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_complete = True
            raise RefusedError(400, "the client left within its request")
        self.is_complete = not message.get("more_body", False)
        return bytes(message.get("body", b""))

    async def discard(self) -> None:
        """Read what is left, unless that is too much or comes too slowly."""
        self.give_back()
        left = _DISCARDED
        try:
            async with _deadline():
                while not self.is_complete and left > 0:
                    left -= len(await self._next())
        except RefusedError:
            return

    def give_back(self) -> None:
        """Take nothing from the budget any more."""
        self._budget.give(self._taken)
        self._taken = 0


class Receiver:
    """The endpoint of one signal, an ASGI application."""

    def __init__(self, signal: Signal, intake: Intake, budget: Budget) -> None:
        self._signal = signal
        self._intake = intake
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind != PROTOBUF
        body = Body(receive, self._budget)
        try:
            answer = await self._take(scope, headers, kind, body)
        except RefusedError as error:
            await body.discard()
            answer = Answer(error.status, str(error))
        finally:
            body.give_back()
        response = Response(body_of(answer, self._signal, is_json=is_json), answer.status)
        response.headers["content-type"] = JSON if is_json else PROTOBUF
        if answer.status == UNAVAILABLE:
            response.headers["retry-after"] = "1"
        if answer.status == 405:  # noqa: PLR2004 - method not allowed
            response.headers["allow"] = "POST"
        if not body.is_complete:
            response.headers["connection"] = "close"
        await response(scope, receive, send)

    async def _take(self, scope: Scope, headers: Headers, kind: str, body: Body) -> Answer:
        if scope["method"] != "POST":
            raise RefusedError(405, "OTLP is sent by POST")
        if kind not in {JSON, PROTOBUF}:
            raise RefusedError(415, f"Content-Type {kind!r}: send {PROTOBUF} or {JSON}")
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise RefusedError(415, f"Content-Encoding {encoding!r}: send gzip or none")
        content = await body.read()
        return await self._intake.take(Asked(self._signal, content, kind == JSON, _ENCODINGS[encoding]))


@asynccontextmanager
async def _deadline() -> AsyncIterator[None]:
    """Refuse the request if the block takes too long."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            yield
    except TimeoutError as error:
        raise RefusedError(408, f"the body did not come within {_READ_SECONDS:.0f} s") from error
