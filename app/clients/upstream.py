"""Calls to external HTTP APIs: bounded in time and size, tried again where that helps, not made while one is down."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import httpx

from mita_otel.breakers import EXTERNAL, GOOGLE_OAUTH, OPENAI, CircuitBreaker, CircuitOpenError
from mita_otel.breakers.shared import RedisCircuits
from mita_otel.retries import OutOfTimeError, Policy, Retry, TimeLimit

T = TypeVar("T")

DEADLINE = 5.0
"""Seconds for an attempt: a timeout for each read alone would let a slow drip hold a request for ever."""

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


class Upstream:
    """One external API."""

    def __init__(self, client: httpx.AsyncClient, breaker: CircuitBreaker, retry: Retry) -> None:
        """Take what sends, what keeps from sending while the API is down, and what sends again."""
        self._client = client
        self._breaker = breaker
        self._retry = retry

    async def call(self, method: str, url: str, *, read: Callable[[Any], T], **request: Any) -> T:
        """Return what `read` makes of an answer's JSON, which has decimals where it has numbers with a point.

        What it cannot read, by a `ValueError`, is a failure of the API: an answer 200 may hold an error.

        Raises:
            OutOfTimeError: the request that this is for has no time left.
            UpstreamError: whatever else went wrong.
        """
        retry = self._retry.for_request(method, request.get("headers"))
        try:
            return await retry.call_async(self._attempt, method, url, read, request)
        except OutOfTimeError:
            raise
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            raise UpstreamError(f"status {status}", status) from error
        except (CircuitOpenError, httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            raise UpstreamError(type(error).__name__) from error

    async def _attempt(self, method: str, url: str, read: Callable[[Any], T], request: Mapping[str, Any]) -> T:
        async with self._breaker, TimeLimit(DEADLINE), self._client.stream(method, url, **request) as answer:
            answer.raise_for_status()
            return read(json.loads(await _content(answer), parse_float=Decimal))


@contextmanager
def upstreams(client: httpx.AsyncClient, redis_url: str | None) -> Iterator[Mapping[str, Upstream]]:
    """Give every API its retries, and a breaker while the service runs; with a Redis it is that of all processes."""
    shared = RedisCircuits(redis_url) if redis_url else None
    presets = {
        "openai": OPENAI,
        "google_oauth": GOOGLE_OAUTH,
        "rates": EXTERNAL,
        "store": EXTERNAL,
        "messages": EXTERNAL,
    }
    breakers = {name: CircuitBreaker.named(name, preset.policy, shared=shared) for name, preset in presets.items()}
    try:
        yield {
            name: Upstream(
                client, breaker, Retry(name, Policy(attempts=1 + presets[name].max_retries, timeout_seconds=5))
            )
            for name, breaker in breakers.items()
        }
    finally:
        for breaker in breakers.values():
            breaker.retire()


async def _content(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > LARGEST:
            raise UpstreamError(f"more than {LARGEST} bytes")
    return bytes(content)
