"""One call to an external HTTP API: bounded in time and size."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx

DEADLINE = 5.0
"""Seconds for a whole call: a timeout for each read alone would let a slow drip hold a request for ever."""

LARGEST = 256 * 1024
"""Bytes of an answer, decoded."""


class UpstreamError(Exception):
    """The API failed, was too slow, or answered what is not JSON; says why, for the log.

    Attributes:
        status: The HTTP status of an answer that is an error.
    """

    def __init__(self, cause: str, status: int | None = None) -> None:
        """Take the cause."""
        super().__init__(cause)
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """Whether asking again in the same way cannot help: the API understood, and said no."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in {408, 425, 429}  # noqa: PLR2004 - HTTP's own numbers


async def call(client: httpx.AsyncClient, method: str, url: str, **request: Any) -> Any:
    """Return an answer's JSON, with decimals where it has numbers with a point.

    Raises:
        UpstreamError: whatever went wrong.
    """
    try:
        async with asyncio.timeout(DEADLINE), client.stream(method, url, **request) as answer:
            answer.raise_for_status()
            return json.loads(await _read(answer), parse_float=Decimal)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise UpstreamError(f"status {status}", status) from error
    except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
        raise UpstreamError(type(error).__name__) from error


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > LARGEST:
            raise UpstreamError(f"more than {LARGEST} bytes")
    return bytes(content)
