"""A site behind rate limits, for several workers: `SITE_QUOTA` requests an hour by address, `REDIS_URL`."""

import os
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.ratelimit import Limiter, Policy, RateLimits


async def _worker(scope: Any, receive: Any, send: Any) -> None:
    """Tell which worker has answered."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


app = RateLimits(
    _worker,
    Limiter(
        [Policy(name="x", quota=int(os.environ["SITE_QUOTA"]), window=3600, routes=("/x",))],
        secret="the same for all workers",
        redis=redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], retry=Retry(NoBackoff(), 0)),
    ),
)
