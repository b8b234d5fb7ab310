"""Rate limits on a real Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.ratelimit import Limiter, Policy
from mita_otel.settings import Settings

SECRET = "s" * 16

Connect = Callable[[str], Any]
MakeLimiter = Callable[..., Limiter]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Make clients that do not try again by themselves; they end with the test, before its server."""
    async with AsyncExitStack() as ending:

        def opened(url: str) -> Any:
            client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
            ending.push_async_callback(client.aclose)
            return client

        yield opened


@pytest.fixture
def limiter() -> MakeLimiter:
    """Make a limiter on a client; a busy machine may take long to answer, unless the test says otherwise."""

    def made(client: Any, *policies: Policy, **variables: str) -> Limiter:
        settings = Settings.read({"MITA_RATE_LIMIT_TIMEOUT": "0.25"} | variables)
        return Limiter(policies, secret=SECRET, redis=client, settings=settings)

    return made


def policy(**changed: Any) -> Policy:
    """Return a policy: ten a minute by address, on `/x`."""
    fields: dict[str, Any] = {"name": "x", "quota": 10, "window": 60, "routes": ("/x",)}
    return Policy(**(fields | changed))


def scope(client: str = "203.0.113.9", path: str = "/x") -> dict[str, Any]:
    """Return what a server tells of a request."""
    return {"type": "http", "method": "GET", "path": path, "headers": [], "client": (client, 1)}


async def ask(limiter: Limiter, client: str = "203.0.113.9", path: str = "/x", user: str | None = None) -> list[Any]:
    """Send a request through a limiter, and return its verdicts."""
    given = scope(client, path)
    return await limiter.take(limiter.charges(limiter.matching(given), given, user))


async def results(limiter: Limiter, times: int, **asked: Any) -> list[str | None]:
    """Send several requests one after the other, and return how the first policy of each was counted."""
    return [(await ask(limiter, **asked))[0].result for _ in range(times)]
