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
    """The API failed, was too slow, or answered what is not JSON; says why, for the log."""


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
        raise UpstreamError(f"status {error.response.status_code}") from error
    except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
        raise UpstreamError(type(error).__name__) from error


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > LARGEST:
            raise UpstreamError(f"more than {LARGEST} bytes")
    return bytes(content)
