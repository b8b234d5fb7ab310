"""SQLAlchemy 2.0 and 2.1, sync and async: one span an execution, whatever the driver does for it.

The three methods that every execution passes through are wrapped, not the cursor events: events fire for each page of
an "insertmanyvalues" statement, see what other listeners wrote into the statement, and have no end when the handling of
an error is skipped, which would leave the span current for the rest of the task.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import Pool, QueuePool

from mita_otel.libraries import up
from mita_otel.libraries.around import calls
from mita_otel.libraries.database import Client, Operation, meter, owned
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import is_there
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.pools import PoolMetrics
from mita_otel.libraries.quiet import quiet
from mita_otel.libraries.sqlalchemy.engines import Engines, Known
from mita_otel.libraries.sqlalchemy.transactions import Endings, did, failed
from mita_otel.libraries.transactions import Transactions
from mita_otel.metrics.looks import NEVER
from mita_otel.traces import request


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every execution of every engine, and measure every pool."""
    client = Client("sqlalchemy", telemetry)
    engines = Engines()
    metrics = PoolMetrics(telemetry, engines.states, client.faults)
    patches = Patches()
    mark_failed = client.faults.guard(failed)
    for name, begin in (
        ("_exec_single_context", _begin_single),
        ("_exec_insertmany_context", _begin_pages),
        ("_cursor_execute", _begin_internal),
    ):
        patches.replace(Connection, name, calls(_Begin(client, engines, begin), client.faults, mark_failed))
    Endings(Transactions(telemetry.meter_provider, meter(telemetry), client.conflicts), client.faults).watch(patches)
    up.observe(telemetry.meter_provider, meter(telemetry), engines.ways, client.faults)
    patches.replace(Engine, "raw_connection", _connecting(engines, metrics, client.faults))
    patches.replace(QueuePool, "_inc_overflow", _overflowing(engines, metrics, client.faults))
    # Not the engine's constructor: create_engine reads its signature to tell which arguments are allowed.
    patches.replace(Dialect, "engine_created", _registering(engines, metrics, client.faults))
    mark = client.faults.guard(_own)
    event.listen(Pool, "connect", mark)

    def undo() -> None:
        patches.undo()
        event.remove(Pool, "connect", mark)
        engines.clear()

    return Instrumented("sqlalchemy", sqlalchemy.__version__, "ours", undo)


_Described = tuple[str, int]


def _begin_single(_dialect: Any, context: Any, *_: Any) -> _Described:
    return context.statement, len(context.parameters) if context.executemany else 0


def _begin_pages(_dialect: Any, context: Any) -> _Described:
    return context.statement, len(context.compiled_parameters)


def _begin_internal(_cursor: Any, statement: str, *_: Any) -> _Described:
    return statement, 0


class _Begin:
    """Begins the operation of an execution.

    Args:
        client: where it begins.
        engines: what is known about the engines.
        read: gets the statement and the size of the batch from the arguments of the wrapped method.
    """

    __slots__ = ("_client", "_engines", "_read")

    def __init__(self, client: Client, engines: Engines, read: Callable[..., _Described]) -> None:
        self._client = client
        self._engines = engines
        self._read = read

    def __call__(self, connection: Connection, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Operation | None:
        statement, batch_size = self._read(*args)
        call = self._engines.find(connection.engine).endpoint.statement(statement, batch=batch_size > 1)
        if call is None:
            return None
        operation = self._client.begin(call, batch_size=batch_size)
        if operation is not None:
            did(connection, reads=call.reads)
        return operation


def _connecting(engines: Engines, metrics: PoolMetrics, faults: Faults) -> Callable[[Any], Any]:
    waited = faults.guard(lambda engine, started: _waited(metrics, engines.find(engine), started))
    timed_out = faults.guard(lambda engine, started: _timed_out(metrics, engines.find(engine), started))
    refused = faults.guard(lambda engine, error: _refused(engines, engine, error))

    def wrapper(original: Callable[[Engine], Any]) -> Callable[[Engine], Any]:
        @wraps(original)
        def raw_connection(engine: Engine) -> Any:
            started = time.perf_counter()
            # Pings, the dialect's first questions and the driver's: set-up, whose time is in the wait.
            hushed = quiet.set(True)
            try:
                connection = original(engine)
            except PoolTimeoutError:
                timed_out(engine, started)
                raise
            except Exception as error:
                refused(engine, error)
                raise
            finally:
                quiet.reset(hushed)
            waited(engine, started)
            return connection

        return raw_connection

    return wrapper


def _waited(metrics: PoolMetrics, known: Known, started: float) -> None:
    seconds = time.perf_counter() - started
    metrics.waited(seconds, known.attributes)
    request.waited(known.endpoint.dependency, seconds)


def _timed_out(metrics: PoolMetrics, known: Known, started: float) -> None:
    metrics.timed_out(known.attributes)
    request.waited(known.endpoint.dependency, time.perf_counter() - started)
    request.failed(known.endpoint.dependency)


def _refused(engines: Engines, engine: Engine, error: Exception) -> None:
    found = engines.find(engine).endpoint
    request.failed(found.dependency)
    if is_there(error) is False:
        found.link.answered_at = NEVER


def _overflowing(engines: Engines, metrics: PoolMetrics, faults: Faults) -> Callable[[Any], Any]:
    def count(pool: QueuePool) -> None:
        if pool.overflow() > 0 and (attributes := engines.attributes_of(pool)) is not None:
            metrics.overflowed(1, attributes)

    counted = faults.guard(count)

    def wrapper(original: Callable[[QueuePool], bool]) -> Callable[[QueuePool], bool]:
        @wraps(original)
        def inc_overflow(pool: QueuePool) -> bool:
            may_open = original(pool)
            if may_open:
                counted(pool)
            return may_open

        return inc_overflow

    return wrapper


def _registering(engines: Engines, metrics: PoolMetrics, faults: Faults) -> Callable[[Any], Any]:
    def found(engine: Engine) -> None:
        attributes = engines.find(engine).attributes
        if isinstance(engine.pool, QueuePool):
            metrics.overflowed(0, attributes)

    register = faults.guard(found)

    def wrapper(original: Callable[[Engine], None]) -> Any:
        def engine_created(_dialect: type[Dialect], engine: Engine) -> None:
            original(engine)
            register(engine)

        return classmethod(engine_created)

    return wrapper


def _own(_dbapi_connection: Any, record: Any) -> None:
    driver_connection = record.driver_connection
    if type(driver_connection).__module__.partition(".")[0] == "asyncpg":
        owned.add(driver_connection)
