"""httpx's asynchronous clients keep to the deadline, and tell the servers that they ask.

client = httpx.AsyncClient(transport=DeadlineTransport())
"""

from collections.abc import AsyncIterator
from math import inf
from typing import Final

import httpx

from mita_otel.retries.deadline import TimeLimit, check, remaining
from mita_otel.retries.headers import written

SCOPE: Final = "external"


class DeadlineTransport(httpx.AsyncBaseTransport):
    """Ends a request when the deadline comes, whatever it waits for: httpx's own timeouts are for each wait alone.

    That holds for its body, too, however slowly it drips. A request that was ended leaves no connection behind that
    another one could read its answer from. Without a deadline it costs a comparison.

    Args:
        transport: sends the requests; httpx's own by default.
        passes_on: whether requests carry what is left, as `x-request-timeout` and `x-envoy-expected-rq-timeout-ms`.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, *, passes_on: bool = True) -> None:
        self._transport = transport or httpx.AsyncHTTPTransport()
        self._passes_on = passes_on

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            OutOfTimeError: the deadline has passed, or passes before the answer begins.
        """
        left = remaining()
        if left == inf:
            return await self._transport.handle_async_request(request)
        check(SCOPE)
        if self._passes_on:
            for name, value in written(left).items():  # one by one: `update` takes five times as long
                request.headers[name] = value
        async with TimeLimit(scope=SCOPE):
            response = await self._transport.handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Bounded(response.stream)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class _Bounded(httpx.AsyncByteStream):
    """A body that ends with the deadline."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = aiter(self._stream)
        while True:
            try:
                # For each part: what reads a body may leave off between two of them.
                async with TimeLimit(scope=SCOPE):
                    part = await anext(parts)
            except StopAsyncIteration:
                return
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
