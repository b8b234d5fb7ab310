"""The audit log's own way to the database: a small pool, batches that may be written twice, nothing that is traced."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mita_otel.logs.audit import schema
from mita_otel.logs.audit.chain import GENESIS, Checkpoint, Head
from mita_otel.logs.audit.model import AuditError, Record
from mita_otel.logs.audit.tables import CHECKPOINTS, COLUMNS, OUTBOX, RECORDS, row_of

POOL: Final[dict[str, Any]] = {
    "pool_size": 2,
    "max_overflow": 3,
    "pool_timeout": 10,
    "pool_pre_ping": True,
    "pool_recycle": 3600,
    "pool_logging_name": "audit",
}
"""Connections and seconds. Source: observability report, section 4.4."""

TIMEOUT: Final = 10.0
"""Seconds for one batch: a database that has not answered by then is away."""

CONNECTING: Final = 5
"""Seconds until a connection stands."""

_SESSION: Final = {
    "application_name": "mita-otel audit",
    # A commit that is answered must outlive a crash of the server, whatever the server, the database or the role say:
    # what is answered is forgotten by the journal.
    "synchronous_commit": "on",
}

_DRIVERS: Final = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}

_TYPES: Final = {"seq": "bigint", "created_at": "timestamptz"}
# One array a column: a statement that is always the same, whatever the size of the batch.
_ARRAYS: Final = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'text')}[])" for name in COLUMNS)
_INSERT: Final = text(
    f"INSERT INTO audit_logs ({', '.join(COLUMNS)}) SELECT * FROM unnest({_ARRAYS}) ON CONFLICT DO NOTHING"  # noqa: S608 - names of our own columns
)
_CHECKPOINT_COLUMNS: Final = tuple(column.name for column in CHECKPOINTS.columns)
_KEEP: Final = text(
    f"INSERT INTO audit_checkpoints ({', '.join(_CHECKPOINT_COLUMNS)}) "  # noqa: S608 - as above
    f"VALUES ({', '.join(f':{name}' for name in _CHECKPOINT_COLUMNS)}) ON CONFLICT DO NOTHING"
)


def read_url(url: str | URL) -> URL:
    """Return a database's URL with the driver that is used.

    Raises:
        AuditError: it is none, or of another database.
    """
    try:
        made = make_url(url)
    except ArgumentError as error:
        raise AuditError(
            "the audit database's URL is none: it looks like postgresql://user:password@host/name"
        ) from error
    driver = _DRIVERS.get(made.drivername)
    if driver is None:
        raise AuditError(f"an audit log cannot be kept in {made.drivername}: it takes postgresql:// or sqlite:///")
    return made.set(drivername=driver)


def digest_of(url: URL) -> str:
    """Return what tells databases apart, whoever connects: a journal is replayed to its own one only."""
    where = f"{url.get_backend_name()}\n{url.host}\n{url.port}\n{url.database}"
    return hashlib.sha256(where.encode()).hexdigest()[:12]


class Database:
    """Writes and reads on one engine of its own."""

    __slots__ = ("_engine", "is_postgresql")

    def __init__(self, url: URL) -> None:
        self.is_postgresql = url.get_backend_name() == "postgresql"
        connecting = {"timeout": CONNECTING, "command_timeout": TIMEOUT, "server_settings": _SESSION}
        options: dict[str, Any] = {**POOL, "connect_args": connecting} if self.is_postgresql else {}
        self._engine: AsyncEngine = create_async_engine(url, **options)
        # Bodies are in the parameters: no error message repeats them.
        self._engine.sync_engine.hide_parameters = True

    async def write(self, records: Sequence[Record]) -> int:
        """Write records and return how many of them were new: one that is there already is left as it is.

        Raises:
            Exception: the database did not take them; none of them is written, or all are.
        """
        async with asyncio.timeout(TIMEOUT), self._engine.begin() as connection:
            return await self._insert(connection, records)

    async def _insert(self, connection: AsyncConnection, records: Sequence[Record]) -> int:
        rows = [row_of(record) for record in records]
        if self.is_postgresql:
            result = await connection.execute(_INSERT, {name: [row[name] for row in rows] for name in COLUMNS})
        else:
            result = await connection.execute(sqlite.insert(RECORDS).on_conflict_do_nothing(), rows)
        return int(result.rowcount)

    async def keep(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint; one that is there already stays.

        Raises:
            Exception: the database did not take it.
        """
        row = {name: getattr(checkpoint, name) for name in _CHECKPOINT_COLUMNS}
        async with asyncio.timeout(TIMEOUT), self._engine.begin() as connection:
            await connection.execute(_KEEP, row)

    async def take_outbox(self, most: int, chained: Callable[[list[tuple[str, str]]], list[Record]]) -> list[Record]:
        """Move events of the outbox into a chain, in one transaction: each is moved once, whoever dies meanwhile.

        Args:
            most: events.
            chained: makes records of ids and events; what it did counts only if this returns.

        Raises:
            Exception: the database did not take them; whether it has is not known.
        """
        wanted = select(OUTBOX.c.id, OUTBOX.c.event).order_by(OUTBOX.c.created_at, OUTBOX.c.id).limit(most)
        async with asyncio.timeout(TIMEOUT), self._engine.begin() as connection:
            found = (await connection.execute(wanted.with_for_update(skip_locked=True))).all()
            if not found:
                return []
            records = chained([(row.id, row.event) for row in found])
            gone = await connection.execute(delete(OUTBOX).where(OUTBOX.c.id.in_([row.id for row in found])))
            if gone.rowcount != len(found):
                # SQLite has no locks on rows: another process was faster with some.
                await connection.rollback()
                return []
            written = await self._insert(connection, records)
            if written != len(records):
                raise AuditError("a place in the outbox's chain is taken; mita-otel audit verify tells by what")
            return records

    async def head(self, chain: str) -> Head:
        """Return how far a chain has come in the database.

        Raises:
            Exception: the database did not answer.
        """
        last = (
            select(RECORDS.c.seq, RECORDS.c.hash)
            .where(RECORDS.c.chain == chain)
            .order_by(RECORDS.c.seq.desc())
            .limit(1)
        )
        async with asyncio.timeout(TIMEOUT), self._engine.connect() as connection:
            row = (await connection.execute(last)).first()
        return Head(chain, row.seq, row.hash) if row is not None else Head(chain, 0, GENESIS)

    async def prepare_partitions(self) -> None:
        """Make the partitions of the coming months; SQLite has none.

        Raises:
            Exception: the database did not, or the tables are not there.
        """
        if self.is_postgresql:
            async with asyncio.timeout(TIMEOUT), self._engine.begin() as connection:
                await connection.execute(text("SELECT audit_partitions(:ahead)"), {"ahead": schema.MONTHS_AHEAD})

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection for reading, whose transaction is rolled back."""
        async with self._engine.connect() as connection:
            yield connection

    async def run(self, step: Callable[[Connection], Any]) -> None:
        """Run a step of the schema in a transaction."""
        async with self._engine.begin() as connection:
            await connection.run_sync(step)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def outbox_insert(row: dict[str, Any]) -> Any:
    """Return the statement that leaves an event in the outbox."""
    return insert(OUTBOX).values(row)
