"""What is known about each engine: where it leads to, how its pool is doing, and how to get there without it."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple
from weakref import ReferenceType, WeakKeyDictionary, ref

from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool, QueuePool
from sqlalchemy.util import greenlet_spawn

from mita_otel.libraries.aside import within
from mita_otel.libraries.database import Attributes, Endpoint
from mita_otel.libraries.link import Ask, Rows
from mita_otel.libraries.pools import PoolState, pool_attributes
from mita_otel.libraries.up import Way

_SYSTEMS: Final = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}
"""Dialects whose name is not the value of `db.system.name`."""

_PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
"""Ports of URLs that name none."""


class Known(NamedTuple):
    """An engine's database and the attributes of its pool; the way is None where there is no server."""

    endpoint: Endpoint
    attributes: Attributes
    way: Way | None


class Engines:
    """What is known about each engine, as long as it lives."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Engine, Known] = WeakKeyDictionary()

    def find(self, engine: Engine) -> Known:
        """Return what is known about an engine; look at it if that is nothing."""
        # An engine with execution options of its own shares the pool of the one that it was made from.
        engine = getattr(engine, "_proxied", engine)
        known = self._known.get(engine)
        if known is None:
            known = self._known[engine] = _look_at(engine)
        return known

    def attributes_of(self, pool: Pool) -> Attributes | None:
        """Return the attributes of a pool, if it is an engine's."""
        return next((known.attributes for engine, known in list(self._known.items()) if engine.pool is pool), None)

    def clear(self) -> None:
        """Forget every engine."""
        self._known.clear()

    def states(self) -> Iterator[PoolState]:
        """Yield how every pool is doing that has a size."""
        for engine, known in list(self._known.items()):
            pool = engine.pool
            if isinstance(pool, QueuePool):
                yield _state(pool, known.attributes)

    def ways(self) -> Iterator[Way]:
        """Yield the way to every database that has a server."""
        for _, known in list(self._known.items()):
            if known.way is not None:
                yield known.way


def _look_at(engine: Engine) -> Known:
    found = endpoint(engine)
    way = None
    if found.system != "sqlite":
        question = str(getattr(engine.dialect, "_dialect_specific_select_one", "SELECT 1"))
        way = Way(found.link, found.system, _asking(ref(engine)) if _can_ask(engine) else None, question)
        found.link.ask = way.ask
        found.link.is_formatted = engine.dialect.paramstyle in {"format", "pyformat"}
    return Known(found, _attributes(found, engine.pool), way)


def _attributes(found: Endpoint, pool: Pool) -> Attributes:
    """Return the attributes of a pool's metrics; one that was given a name of its own is not added to the others."""
    attributes = pool_attributes(found)
    if not pool.logging_name:
        return attributes
    return {**attributes, "db.client.connection.pool.name": f"{found.pool_name} ({pool.logging_name})"}


def _state(pool: QueuePool, attributes: Attributes) -> PoolState:
    size, overflow = pool.size(), pool._max_overflow  # noqa: SLF001 - no public name
    bounded = size > 0 and overflow >= 0
    return PoolState(
        attributes,
        idle=pool.checkedin(),
        used=max(pool.checkedout(), 0),
        maximum=size + overflow if bounded else None,
        idle_maximum=size or None,
        overflow=max(pool.overflow(), 0) if size else None,
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


def _can_ask(engine: Engine) -> bool:
    """Say whether a connection can be opened beside the application.

    Where that opens them by an `async_creator` of its own, what it needs belongs to the application's event loop.
    """
    module: str = getattr(engine.pool._creator, "__module__", "")  # noqa: SLF001 - no public name
    return not engine.dialect.is_async or module == "sqlalchemy.engine.create"


def _asking(reference: ReferenceType[Engine]) -> Ask:
    """Return a way to ask the database of an engine, which is not kept alive."""

    def ask(statements: Sequence[str], seconds: float) -> list[Rows]:
        engine = reference()
        if engine is None:
            raise LookupError("the engine has gone")
        if engine.dialect.is_async:
            return within(seconds, lambda: greenlet_spawn(_ask, engine, statements))
        return _ask(engine, statements)

    return ask


def _ask(engine: Engine, statements: Sequence[str]) -> list[Rows]:
    # What the pool opens a connection with, the application's own handlers of `do_connect` included.
    connection: Any = engine.pool._invoke_creator(None)  # type: ignore[arg-type]  # noqa: SLF001 - there is no record
    try:
        cursor = connection.cursor()
        answers = []
        for statement in statements:
            cursor.execute(statement)
            answers.append([tuple(row) for row in cursor.fetchall()] if cursor.description else [])
        connection.rollback()
    except BaseException:
        # Without waiting for a server that may not answer.
        engine.dialect.do_terminate(connection)
        raise
    engine.dialect.do_close(connection)
    return answers
