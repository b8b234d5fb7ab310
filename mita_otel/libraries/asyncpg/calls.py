"""asyncpg used directly: one span a call, a cursor or a copy; silent on connections that SQLAlchemy works through."""

import time
from collections.abc import Callable, Coroutine, Sized
from functools import wraps
from typing import Any

import asyncpg
from asyncpg.cursor import BaseCursor
from asyncpg.pool import Pool
from asyncpg.prepared_stmt import PreparedStatement

from mita_otel.libraries import up
from mita_otel.libraries.around import Failed, awaits
from mita_otel.libraries.asyncpg.pools import Pools, endpoint_of
from mita_otel.libraries.asyncpg.transactions import Endings
from mita_otel.libraries.database import Client, Operation, meter, owned
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.pools import PoolMetrics
from mita_otel.libraries.quiet import quiet
from mita_otel.libraries.transactions import Transactions
from mita_otel.traces import request

_Method = Callable[..., Coroutine[Any, Any, Any]]
_Question = tuple[Any, str, object]
"""A connection, a statement, and the sets of arguments of a batch (None for a single execution)."""


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every call on every connection, and measure every pool."""
    client = Client("asyncpg", telemetry)
    pools = Pools()
    metrics = PoolMetrics(telemetry, pools.states, client.faults)
    endings = Endings(Transactions(telemetry.meter_provider, meter(telemetry), client.conflicts), client.faults)
    up.observe(telemetry.meter_provider, meter(telemetry), pools.ways, client.faults)
    patches = Patches()
    for owner, read, names in _METHODS:
        for name in names:
            patches.replace(owner, name, _tracing(client, read, endings.failed))
    # The server is asked to quote the arguments of the copied query: a question of the driver's own.
    patches.replace(
        asyncpg.Connection, "copy_from_query", _tracing(client, _of_copied_query, endings.failed, hush=True)
    )
    endings.watch(patches)
    patches.replace(asyncpg.Connection, "reset", _hushing)
    patches.replace(Pool, "_acquire", _acquiring(pools, metrics, client.faults))
    forget = client.faults.guard(pools.closed)
    patches.replace(Pool, "close", _closing(forget))
    patches.replace(Pool, "terminate", _terminating(forget))

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


def _tracing(
    client: Client, read: Callable[..., _Question], failed: Failed, *, hush: bool = False
) -> Callable[[_Method], _Method]:
    def begin(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Operation | None:
        connection, statement, sets = read(target, *args, **kwargs)
        if connection in owned:
            return None
        size = len(sets) if isinstance(sets, Sized) else 0
        call = endpoint_of(connection).statement(statement, batch=size > 1)
        return None if call is None else client.begin(call, batch_size=size, hush=hush)

    return awaits(begin, client.faults, failed)


def _hushing(original: _Method) -> _Method:
    @wraps(original)
    async def reset(connection: Any, **kwargs: Any) -> Any:
        hushed = quiet.set(True)
        try:
            return await original(connection, **kwargs)
        finally:
            quiet.reset(hushed)

    return reset


def _acquiring(pools: Pools, metrics: PoolMetrics, faults: Faults) -> Callable[[_Method], _Method]:
    waited = faults.guard(
        lambda pool, connection, started: metrics.waited(
            time.perf_counter() - started, pools.attributes(pool, connection)
        )
    )
    timed_out = faults.guard(lambda pool: _timed_out(pools, metrics, pool))
    refused = faults.guard(pools.refused)

    def wrapper(original: _Method) -> _Method:
        @wraps(original)
        async def acquire(pool: Any, timeout: float | None) -> Any:  # noqa: ASYNC109 - asyncpg's signature
            started = time.perf_counter()
            try:
                connection = await original(pool, timeout)
            except TimeoutError:
                timed_out(pool)
                raise
            except Exception as error:
                refused(pool, error)
                raise
            waited(pool, connection, started)
            return connection

        return acquire

    return wrapper


def _timed_out(pools: Pools, metrics: PoolMetrics, pool: Any) -> None:
    metrics.timed_out(pools.attributes(pool, None))
    request.failed(pools.dependency(pool))


def _closing(forget: Callable[[Any], None]) -> Callable[[_Method], _Method]:
    def wrapper(original: _Method) -> _Method:
        @wraps(original)
        async def close(pool: Any) -> None:
            forget(pool)
            await original(pool)

        return close

    return wrapper


def _terminating(forget: Callable[[Any], None]) -> Callable[[Any], Any]:
    def wrapper(original: Callable[[Any], None]) -> Callable[[Any], None]:
        @wraps(original)
        def terminate(pool: Any) -> None:
            forget(pool)
            original(pool)

        return terminate

    return wrapper
