"""SQLAlchemy 2.0 and 2.1, sync and async: one span an execution, whatever the driver does for it.

The three methods that every execution passes through are wrapped, not the cursor events: events fire for each page of
an "insertmanyvalues" statement, see what other listeners wrote into the statement, and have no end when the handling of
an error is skipped, which would leave the span current for the rest of the task.
"""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import PurePath
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import Pool, QueuePool

from mita_otel.libraries.around import calls
from mita_otel.libraries.database import Attributes, Client, Endpoint, Operation, owned, quiet
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.pools import PoolMetrics, PoolState, pool_attributes

_SYSTEMS: Final = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}
"""Dialects whose name is not the value of `db.system.name`."""

_PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
"""Ports of URLs that name none."""


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every execution of every engine, and measure every pool."""
    client = Client("sqlalchemy", telemetry)
    engines = _Engines()
    metrics = PoolMetrics(telemetry, engines.states, client.faults)
    patches = Patches()
    for name, begin in (
        ("_exec_single_context", _begin_single),
        ("_exec_insertmany_context", _begin_pages),
        ("_cursor_execute", _begin_internal),
    ):
        patches.replace(Connection, name, calls(client.faults.guard(_Begin(client, engines, begin))))
    patches.replace(Engine, "raw_connection", _connecting(engines, metrics, client.faults))
    # Not the engine's constructor: create_engine reads its signature to tell which arguments are allowed.
    patches.replace(Dialect, "engine_created", _registering(engines, client.faults))
    mark = client.faults.guard(_own)
    event.listen(Pool, "connect", mark)

    def undo() -> None:
        patches.undo()
        event.remove(Pool, "connect", mark)
        engines.clear()

    return Instrumented("sqlalchemy", sqlalchemy.__version__, "ours", undo)


class _Engines:
    """What is known about each engine, as long as it lives."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Engine, tuple[Endpoint, Attributes]] = WeakKeyDictionary()

    def find(self, engine: Engine) -> tuple[Endpoint, Attributes]:
        # An engine with execution options of its own shares the pool of the one that it was made from.
        engine = getattr(engine, "_proxied", engine)
        known = self._known.get(engine)
        if known is None:
            found = endpoint(engine)
            known = self._known[engine] = found, pool_attributes(found)
        return known

    def clear(self) -> None:
        self._known.clear()

    def states(self) -> Iterator[PoolState]:
        for engine, (_, attributes) in list(self._known.items()):
            pool = engine.pool
            if isinstance(pool, QueuePool):
                yield _state(pool, attributes)


def _state(pool: QueuePool, attributes: Attributes) -> PoolState:
    size, overflow = pool.size(), pool._max_overflow  # noqa: SLF001 - no public name
    bounded = size > 0 and overflow >= 0
    return PoolState(
        attributes,
        idle=pool.checkedin(),
        used=max(pool.checkedout(), 0),
        maximum=size + overflow if bounded else None,
        idle_maximum=size or None,
    )


def endpoint(engine: Engine) -> Endpoint:
    """Return where an engine's URL leads to; of an SQLite file its name alone, as the folder differs by machine."""
    url, dialect = engine.url, engine.dialect.name
    if dialect == "sqlite":
        in_memory = url.database in {None, "", ":memory:"}
        return Endpoint("sqlite", ":memory:" if in_memory else PurePath(str(url.database)).name)
    host = url.host or url.query.get("host")
    address = host if isinstance(host, str) else None
    return Endpoint(_SYSTEMS.get(dialect, dialect), url.database, address, url.port or _PORTS.get(dialect))


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

    __slots__ = ("__dict__", "_client", "_engines", "_read")

    def __init__(self, client: Client, engines: _Engines, read: Callable[..., _Described]) -> None:
        self._client = client
        self._engines = engines
        self._read = read

    def __call__(self, connection: Connection, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Operation | None:
        statement, batch_size = self._read(*args)
        found, _ = self._engines.find(connection.engine)
        call = found.statement(statement, batch=batch_size > 1)
        return None if call is None else self._client.begin(call, batch_size=batch_size)


def _connecting(engines: _Engines, metrics: PoolMetrics, faults: Faults) -> Callable[[Any], Any]:
    waited = faults.guard(
        lambda engine, started: metrics.waited(time.perf_counter() - started, engines.find(engine)[1])
    )
    timed_out = faults.guard(lambda engine: metrics.timed_out(engines.find(engine)[1]))

    def wrapper(original: Callable[[Engine], Any]) -> Callable[[Engine], Any]:
        @wraps(original)
        def raw_connection(engine: Engine) -> Any:
            started = time.perf_counter()
            # Pings, the dialect's first questions and the driver's: set-up, whose time is in the wait.
            hushed = quiet.set(True)
            try:
                connection = original(engine)
            except PoolTimeoutError:
                timed_out(engine)
                raise
            finally:
                quiet.reset(hushed)
            waited(engine, started)
            return connection

        return raw_connection

    return wrapper


def _registering(engines: _Engines, faults: Faults) -> Callable[[Any], Any]:
    register = faults.guard(engines.find)

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
