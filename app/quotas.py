"""How often clients may ask: the report's limits, by address before anybody is known and by user afterwards."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.security import Caller, Tokens
from app.settings import DATA_FOLDER, Settings, kept_secret
from mita_otel.ratelimit import Limiter

CALLER: Final = "mita_finance.caller"
"""Key of the scope: who has sent the request, where their token was read already."""


@asynccontextmanager
async def limiting(settings: Settings) -> AsyncIterator[Limiter]:
    """Hold the limiter, and a connection to Redis of its own: it waits less long for Redis than others do."""
    secret = (
        settings.jwt_secret.get_secret_value() if settings.jwt_secret else kept_secret(DATA_FOLDER / "limits-secret")
    )
    async with AsyncExitStack() as ending:
        redis = None
        if settings.redis_url:
            redis = Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 0))
            ending.push_async_callback(redis.aclose)
        limiter = Limiter(secret=secret, redis=redis)
        await limiter.introduce()
        yield limiter


def limiter(scope: Any) -> Limiter:
    """Return the limiter of the application that serves a request."""
    found: Limiter = scope["app"].state.limiter
    return found


def user(scope: Any) -> str | None:
    """Return the user of a request, if its token is valid; routes find in the scope what it says."""
    tokens: Tokens = scope["app"].state.services.tokens
    header: bytes = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = header.partition(b" ")
    caller: Caller | None = tokens.peek(token.strip().decode("latin-1")) if scheme.lower() == b"bearer" else None
    scope[CALLER] = caller
    return None if caller is None else str(caller.user_id)
