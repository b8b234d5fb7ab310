"""asyncpg used directly: one span a call, a cursor or a copy; silent on connections that SQLAlchemy works through."""

import time
from collections.abc import Callable, Coroutine, Iterator, Sized
from functools import lru_cache, wraps
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg.cursor import BaseCursor
from asyncpg.pool import Pool
from asyncpg.prepared_stmt import PreparedStatement

from mita_otel.libraries.around import awaits
from mita_otel.libraries.database import Attributes, Client, Endpoint, Operation, owned, quiet
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.pools import PoolMetrics, PoolState, pool_attributes

_Method = Callable[..., Coroutine[Any, Any, Any]]
_Question = tuple[Any, str, object]
"""A connection, a statement, and the sets of arguments of a batch (None for a single execution)."""


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every call on every connection, and measure every pool."""
    client = Client("asyncpg", telemetry)
    pools = _Pools()
    metrics = PoolMetrics(telemetry, pools.states, client.faults)
    patches = Patches()
    for owner, read, names in _METHODS:
        for name in names:
            patches.replace(owner, name, _tracing(client, read))
    # The server is asked to quote the arguments of the copied query: a question of the driver's own.
    patches.replace(asyncpg.Connection, "copy_from_query", _tracing(client, _of_copied_query, hush=True))
    patches.replace(asyncpg.Connection, "reset", _hushing)
    patches.replace(Pool, "_acquire", _acquiring(pools, metrics, client.faults))

    def undo() -> None:
        patches.undo()
        pools.clear()

    return Instrumented("asyncpg", asyncpg.__version__, "ours", undo)


def _of_query(connection: Any, query: str, *_: Any, **__: Any) -> _Question:
    return connection, query, None


def _of_batch(connection: Any, query: str, args: Any, **_: Any) -> _Question:
    return connection, query, args


def _of_command(connection: Any, command: str, args: Any, **_: Any) -> _Question:
    return connection, command, args


def _of_prepared(statement: Any, *_: Any, **__: Any) -> _Question:
    return statement._connection, statement._query, None  # noqa: SLF001 - get_query() refuses once released


def _of_prepared_batch(statement: Any, args: Any, **_: Any) -> _Question:
    return statement._connection, statement._query, args  # noqa: SLF001 - as above


def _of_cursor(cursor: Any, *_: Any) -> _Question:
    return cursor._connection, cursor._state.query, None  # noqa: SLF001 - no public name


def _of_copy(connection: Any, table_name: str, **_: Any) -> _Question:
    return connection, f"COPY {table_name}", None


def _of_copied_query(connection: Any, query: str, *_: Any, **__: Any) -> _Question:
    return connection, f"COPY ({query}) TO STDOUT", None


_METHODS: tuple[tuple[type, Callable[..., _Question], tuple[str, ...]], ...] = (
    (asyncpg.Connection, _of_query, ("execute", "fetch", "fetchrow", "fetchval")),
    (asyncpg.Connection, _of_batch, ("fetchmany",)),
    (asyncpg.Connection, _of_command, ("executemany",)),
    (asyncpg.Connection, _of_copy, ("copy_from_table", "copy_to_table", "copy_records_to_table")),
    (PreparedStatement, _of_prepared, ("fetch", "fetchrow", "fetchval")),
    (PreparedStatement, _of_prepared_batch, ("fetchmany", "executemany")),
    # A cursor's first round trip executes its query; the later ones only fetch rows.
    (BaseCursor, _of_cursor, ("_bind_exec", "_bind")),
)


def _tracing(client: Client, read: Callable[..., _Question], *, hush: bool = False) -> Callable[[_Method], _Method]:
    def begin(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        connection, statement, sets = read(target, *args, **kwargs)
        if connection in owned:
            return None
        size = len(sets) if isinstance(sets, Sized) else 0
        call = _endpoint_of(connection).statement(statement, batch=size > 1)
        return None if call is None else client.begin(call, batch_size=size, hush=hush)

    return awaits(client.faults.guard(begin))


def _endpoint_of(connection: Any) -> Endpoint:
    return endpoint(connection._addr, connection._params.database)  # noqa: SLF001 - no public name


@lru_cache(256)
def endpoint(address: tuple[str, int] | str, database: str) -> Endpoint:
    """Return the endpoint of a connection: host and port, or the path of a socket."""
    if isinstance(address, str):
        return Endpoint("postgresql", database, address)
    return Endpoint("postgresql", database, address[0], address[1])


def _hushing(original: _Method) -> _Method:
    @wraps(original)
    async def reset(connection: Any, **kwargs: Any) -> Any:
        hushed = quiet.set(True)
        try:
            return await original(connection, **kwargs)
        finally:
            quiet.reset(hushed)

    return reset


class _Pools:
    """The living pools, each known by its queue of connections at rest: a pool itself takes no weak reference."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, tuple[Attributes, int]] = WeakKeyDictionary()

    def attributes(self, pool: Any, connection: Any) -> Attributes:
        """Return the attributes of a pool, and remember it once it has given a connection."""
        queue = pool._queue  # noqa: SLF001 - no public name
        known = self._known.get(queue)
        if known is not None:
            return known[0]
        if connection is None:
            return pool_attributes(Endpoint("postgresql"))
        attributes = pool_attributes(_endpoint_of(connection))
        self._known[queue] = attributes, pool.get_max_size()
        return attributes

    def clear(self) -> None:
        self._known.clear()

    def states(self) -> Iterator[PoolState]:
        for queue, (attributes, maximum) in list(self._known.items()):
            resting = list(queue._queue)  # noqa: SLF001 - asyncio offers its length alone
            idle = sum(holder.is_connected() for holder in resting)
            yield PoolState(attributes, idle, maximum - len(resting), maximum, maximum)


def _acquiring(pools: _Pools, metrics: PoolMetrics, faults: Faults) -> Callable[[_Method], _Method]:
    waited = faults.guard(
        lambda pool, connection, started: metrics.waited(
            time.perf_counter() - started, pools.attributes(pool, connection)
        )
    )
    timed_out = faults.guard(lambda pool: metrics.timed_out(pools.attributes(pool, None)))

    def wrapper(original: _Method) -> _Method:
        @wraps(original)
        async def acquire(pool: Any, timeout: float | None) -> Any:  # noqa: ASYNC109 - asyncpg's signature
            started = time.perf_counter()
            try:
                connection = await original(pool, timeout)
            except TimeoutError:
                timed_out(pool)
                raise
            waited(pool, connection, started)
            return connection

        return acquire

    return wrapper
