"""Whether the database answers, how fast, and whether transactions are stuck."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Reading, above

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

SLOW: Final = 1.0
"""Seconds. Source: observability report, section 2.1."""

LONG_TRANSACTION: Final = 300
"""Seconds. Source: as above."""

_QUESTION: Final = """
SELECT current_setting('server_version'),
       count(*) FILTER (WHERE backend_type = 'client backend'),
       count(*) FILTER (WHERE datname = current_database() AND state = 'active'),
       count(*) FILTER (
           WHERE datname = current_database() AND clock_timestamp() - xact_start > make_interval(secs => :long)
       ),
       pg_database_size(current_database()),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
FROM pg_stat_activity
WHERE pid <> pg_backend_pid()
"""

CONNECTIONS_SHARE: Final = 0.9
"""Share of the server's connections above which the next ones may be refused."""


def database(
    engine: "AsyncEngine",
    *,
    name: str = "database",
    slow: float = SLOW,
    timeout: float = 3.0,
    long_transaction: float = LONG_TRANSACTION,
    is_vital: bool = True,
) -> Check:
    """Return the check of a database; of PostgreSQL it asks more than of others.

    It goes through the application's own pool: a pool that has nothing left to give is as bad as a server that is away.

    Args:
        engine: the application's.
        name: of the component.
        slow: seconds above which it is degraded.
        timeout: seconds after which it is unhealthy.
        long_transaction: seconds that a transaction may last; one that is stuck holds locks and keeps dead rows.
        is_vital: whether the service is of no use without it.
    """

    async def look() -> Sequence[Reading]:
        from sqlalchemy import text  # noqa: PLC0415 - whoever has an engine has it

        async with engine.connect() as connection:
            if engine.dialect.name != "postgresql":
                await connection.execute(text("SELECT 1"))
                return ()
            row = (await connection.execute(text(_QUESTION), {"long": long_transaction})).one()
        return _readings(row)

    return Check(name, look, "datastore", slow, timeout, is_vital=is_vital, is_shared=True)


def _readings(row: Sequence[Any]) -> Sequence[Reading]:
    version, connections, active, stuck, size, most = row
    return (
        Reading("version", version),
        above("connections", connections, CONNECTIONS_SHARE * most, level=Level.CRITICAL),
        Reading("active_connections", active),
        above("long_transactions", stuck, 0),
        Reading("size", size, "bytes"),
    )
