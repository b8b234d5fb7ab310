"""redis-py's asynchronous clients keep to the deadline, and try nothing again on their own.

client = connect("redis://127.0.0.1:6379/0", timeout=0.5)
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.retries.deadline import OutOfTimeError, remaining

T = TypeVar("T")

SCOPE: Final = "cache"


def connect(url: str, *, timeout: float, **options: Any) -> Redis:
    """Return a client whose every wait ends with the deadline, or after `timeout`, whichever is first.

    redis-py's own retries are switched off: it tries thrice by default, and for a server that does not answer a command
    takes up to 15 s of a request.

    Args:
        url: as redis-py takes it: `redis://`, `rediss://` or `unix://`.
        timeout: seconds for a connection, and for an answer.
        options: more of redis-py's.

    Raises:
        ValueError: the timeout is not allowed, or the URL is none.
    """
    if not 0 < timeout <= 3_600:  # noqa: PLR2004 - said in the message
        raise ValueError(f"timeout={timeout!r} is not allowed: seconds, more than 0 and at most 3600")
    pool = ConnectionPool.from_url(
        url, **{"socket_timeout": timeout, "socket_connect_timeout": timeout, **options}, retry=Retry(NoBackoff(), 0)
    )
    pool.connection_class = _bounded(pool.connection_class)
    client: Redis = Redis.from_pool(pool)
    return client


class Bounded(AbstractConnection):
    """A connection whose waits end with the deadline.

    One that was left in the middle of an answer is closed, by redis-py itself: nobody gets another's answer.
    """

    _is_within = False

    async def connect(self) -> None:
        """Connect."""
        await self._within(super().connect)

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, if it is still of use."""
        if not self._is_within and remaining() <= 0:
            raise OutOfTimeError(SCOPE)  # counted as what it interrupts, by the instrumentation
        await self._within(super().send_packed_command, *args, **kwargs)

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Read an answer, at least as far as it has come: one that is left unread must cost the connection."""
        return await self._within(super().read_response, *args, **kwargs)

    async def _within(self, wait: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """Wait no longer than until the deadline; steps within a step are part of it.

        Raises:
            OutOfTimeError: the deadline has passed.
        """
        left = remaining()
        # redis-py's own limit is the shorter one, or there is none but that.
        if self._is_within or left >= (self.socket_timeout or inf):
            return await wait(*args, **kwargs)
        self._is_within = True
        try:
            async with asyncio.timeout(max(left, 0)) as limit:
                return await wait(*args, **kwargs)
        except TimeoutError as error:
            if limit.expired():
                raise OutOfTimeError(SCOPE) from error
            raise
        finally:
            self._is_within = False


def _bounded(connection_class: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return a class of connections with the deadline in it."""
    return type(f"Bounded{connection_class.__name__}", (Bounded, connection_class), {})
