"""The living pools: where they lead to, how they are doing, and how to get there without them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import asyncpg

from mita_otel.libraries.aside import within
from mita_otel.libraries.database import Attributes, Endpoint
from mita_otel.libraries.link import Ask, Rows, is_there
from mita_otel.libraries.pools import PoolState, pool_attributes
from mita_otel.libraries.up import Way
from mita_otel.metrics.looks import NEVER
from mita_otel.traces import request


class _Known(NamedTuple):
    attributes: Attributes
    maximum: int
    way: Way
    dependency: str


class Pools:
    """The living pools, each known by its queue of connections at rest: a pool itself takes no weak reference."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()

    def attributes(self, pool: Any, connection: Any) -> Attributes:
        """Return the attributes of a pool, and remember it once it has given a connection."""
        queue = pool._queue  # noqa: SLF001 - no public name
        known = self._known.get(queue)
        if known is not None:
            return known.attributes
        if connection is None:
            return pool_attributes(Endpoint("postgresql"))
        found = endpoint_of(connection)
        way = Way(found.link, found.system, _asking(pool))
        known = _Known(pool_attributes(found), pool.get_max_size(), way, found.dependency)
        self._known[queue] = known
        found.link.ask = known.way.ask
        return known.attributes

    def dependency(self, pool: Any) -> str:
        """Return what the pool's database is called, as far as that is known."""
        known = self._known.get(pool._queue)  # noqa: SLF001 - no public name
        return "postgresql" if known is None else known.dependency

    def refused(self, pool: Any, error: Exception) -> None:
        """Take note that a pool has got no connection: its database may not be there."""
        request.failed(self.dependency(pool))
        known = self._known.get(pool._queue)  # noqa: SLF001 - no public name
        if known is not None and is_there(error) is False:
            known.way.link.answered_at = NEVER

    def closed(self, pool: Any) -> None:
        """Forget a pool that is closed: no one uses its way any more."""
        known = self._known.pop(pool._queue, None)  # noqa: SLF001 - no public name
        if known is not None and known.way.link.ask is known.way.ask:
            known.way.link.ask = None

    def clear(self) -> None:
        """Forget every pool."""
        self._known.clear()

    def states(self) -> Iterator[PoolState]:
        """Yield how every pool is doing."""
        for queue, known in list(self._known.items()):
            resting = list(queue._queue)  # noqa: SLF001 - asyncio offers its length alone
            idle = sum(holder.is_connected() for holder in resting)
            yield PoolState(known.attributes, idle, known.maximum - len(resting), known.maximum, known.maximum)

    def ways(self) -> Iterator[Way]:
        """Yield the way of every pool."""
        for _, known in list(self._known.items()):
            yield known.way


def endpoint_of(connection: Any) -> Endpoint:
    """Return where a connection leads to."""
    return endpoint(connection._addr, connection._params.database)  # noqa: SLF001 - no public name


@lru_cache(256)
def endpoint(address: tuple[str, int] | str, database: str) -> Endpoint:
    """Return an endpoint: host and port, or the path of a socket."""
    if isinstance(address, str):
        return Endpoint("postgresql", database, address)
    return Endpoint("postgresql", database, address[0], address[1])


def _asking(pool: Any) -> Ask | None:
    """Return a way to ask the database of a pool, which is not kept alive: only what it connects with is.

    None where the application connects by a function of its own, which may need its event loop.
    """
    connect: Callable[..., Awaitable[Any]] = pool._connect  # noqa: SLF001 - no public name, as below
    if connect is not asyncpg.connect:
        return None
    arguments = pool._connect_args  # noqa: SLF001
    options = {**pool._connect_kwargs, "connection_class": pool._connection_class}  # noqa: SLF001

    async def ask_there(statements: Sequence[str]) -> list[Rows]:
        connection = await connect(*arguments, **options)
        try:
            transaction = connection.transaction()
            await transaction.start()
            answers = [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
            await transaction.rollback()
        except BaseException:
            # Without waiting for a server that may not answer.
            connection.terminate()
            raise
        await connection.close()
        return answers

    return lambda statements, seconds: within(seconds, lambda: ask_there(statements))
