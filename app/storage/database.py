"""The engine, its pool, and one session a unit of work."""

import fcntl
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from anyio import to_thread
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.errors import ApiError, UserGoneError, database_unavailable
from mita_otel.retries import DATABASE, OutOfTimeError, Retry, Transactions
from mita_otel.retries.sqlalchemy import spend_deadlines

T = TypeVar("T")

logger = logging.getLogger(__name__)

MIGRATION_LOCK = 7_300_141
"""Key of PostgreSQL's advisory lock: of several workers that start at once, one migrates and the others wait."""

POOL = {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10, "pool_pre_ping": True, "pool_recycle": 3600}
"""Connections and seconds. Source: observability report, section 4.4."""

CONNECTING = 5
"""Seconds: below what a client waits, above what a busy server needs."""

UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeoutError)
"""No connection is to be had: SQLAlchemy does not wrap the driver's errors before there is one."""


class Database:
    """Opens sessions on one engine."""

    def __init__(self, url: str) -> None:
        """Make the engine; it connects when first asked to."""
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self._is_sqlite else {**POOL, "connect_args": {"timeout": CONNECTING}}
        self.engine = create_async_engine(self._url, **options)
        # Parameters hold password hashes and amounts: no error message repeats them. Set on the engine, because
        # create_engine reads the signature of Engine.__init__, and whoever wraps that hides the argument from it.
        self.engine.sync_engine.hide_parameters = True
        if self._is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _enforce_foreign_keys)
        spend_deadlines(self.engine)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._transactions = Transactions(self.session, Retry("database", DATABASE))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Yield a session; what is not committed is rolled back.

        Raises:
            ApiError: 503 if the database cannot be reached or goes away.
            OutOfTimeError: the request that this is for has no time left.
            UserGoneError: what was written belongs to a user who was deleted.
        """
        try:
            async with self._sessions() as session:
                yield session
        except OutOfTimeError:
            raise
        except UNREACHABLE as error:
            raise _unavailable(error) from error
        except IntegrityError as error:
            # Whatever is written belongs to a user; nothing else that it could refer to is missing.
            if "foreign key" in str(error.orig).lower():
                raise UserGoneError from error
            raise
        except DBAPIError as error:
            # Without a statement it failed to connect, or to commit: no such database, too many connections.
            is_gone = error.connection_invalidated or error.statement is None
            if is_gone or isinstance(error, OperationalError | InterfaceError):
                raise _unavailable(error) from error
            raise

    async def transaction(self, work: Callable[[AsyncSession], Awaitable[T]], *, idempotent: bool = False) -> T:
        """Do some work in a session of its own and commit it; all of it again if another transaction is in the way.

        Args:
            work: uses nothing that lasts but the session.
            idempotent: whether it may also be done again when nobody knows whether it was committed.

        Raises:
            ApiError, OutOfTimeError: as `session`.
            UnknownOutcomeError: nobody knows whether it was committed.
        """
        return await self._transactions.run(work, idempotent=idempotent)

    async def migrate(self) -> None:
        """Bring the schema up to date, once, however many processes start."""
        if self._is_sqlite:
            await to_thread.run_sync(self._prepare_folder)
            lock = await to_thread.run_sync(self._lock_file)
            try:
                await self._upgrade()
            finally:
                lock.close()
            return
        await self._upgrade()

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    async def _upgrade(self) -> None:
        async with self.engine.begin() as connection:
            if not self._is_sqlite:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(_upgrade)

    def _prepare_folder(self) -> None:
        Path(self._url.database or ".").parent.mkdir(parents=True, exist_ok=True)

    def _lock_file(self) -> Any:
        lock = Path(f"{self._url.database}.lock").open("w")  # noqa: SIM115 - closed by the caller, when the work is done
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock


def _unavailable(error: Exception) -> ApiError:
    logger.warning("the database did not answer", extra={"cause": type(error).__name__})
    return database_unavailable()


def _enforce_foreign_keys(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _upgrade(connection: Connection) -> None:
    # Alembic is slow to import and only needed where the service migrates itself.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
