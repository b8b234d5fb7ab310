"""Databases and their connection pools."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DURATIONS, SERVER_ADDRESS, SERVER_PORT
from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, UpDownCounter, bounded, closed

_SOURCE: Final = "https://opentelemetry.io/docs/specs/semconv/db/database-metrics/"

_SYSTEM: Final = bounded("db.system.name", "database systems in use")
_VERB: Final = bounded("db.operation.name", "verbs of SQL, commands of Redis, PIPELINE")
_POOL: Final = (bounded("db.client.connection.pool.name", "the service's databases, as host:port/name"), _SYSTEM)

OPERATION_DURATION: Final = Histogram(
    name="db.client.operation.duration",
    unit="s",
    description="Duration of database client operations.",
    source=_SOURCE,
    attributes=(
        _SYSTEM,
        bounded("db.namespace", "databases that the service uses"),
        _VERB,
        SERVER_ADDRESS,
        SERVER_PORT,
        bounded("error.type", "exception classes"),
    ),
    buckets=DURATIONS,
)
CONNECTION_COUNT: Final = UpDownCounter(
    name="db.client.connection.count",
    unit="{connection}",
    description="Connections that are idle or used.",
    source=_SOURCE,
    attributes=(*_POOL, closed("db.client.connection.state", "idle", "used")),
)
CONNECTION_MAX: Final = UpDownCounter(
    name="db.client.connection.max",
    unit="{connection}",
    description="Open connections allowed.",
    source=_SOURCE,
    attributes=_POOL,
)
CONNECTION_IDLE_MAX: Final = UpDownCounter(
    name="db.client.connection.idle.max",
    unit="{connection}",
    description="Idle open connections allowed.",
    source=_SOURCE,
    attributes=_POOL,
)
CONNECTION_WAIT_TIME: Final = Histogram(
    name="db.client.connection.wait_time",
    unit="s",
    description="The time it took to obtain an open connection from the pool.",
    source=_SOURCE,
    attributes=_POOL,
    buckets=DURATIONS,
)
CONNECTION_TIMEOUTS: Final = Counter(
    name="db.client.connection.timeouts",
    unit="{timeout}",
    description="The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    source=_SOURCE,
    attributes=_POOL,
)
UP: Final = Gauge(
    name="mita.database.up",
    unit="",
    description="Whether the database answers: 1 or 0.",
    source=OURS,
    attributes=_POOL,
)
TRANSACTIONS: Final = Counter(
    name="mita.database.transactions",
    unit="{transaction}",
    description="Transactions in which something was executed, by how they ended; unknown is a commit unanswered.",
    source=OURS,
    attributes=(closed("status", "committed", "rolled_back", "unknown"),),
)
DEADLOCKS: Final = Counter(
    name="mita.database.deadlocks",
    unit="{deadlock}",
    description="Statements and commits that the database gave up to end a deadlock.",
    source=OURS,
)
SERIALIZATION_FAILURES: Final = Counter(
    name="mita.database.serialization_failures",
    unit="{failure}",
    description="Statements and commits that failed because of a concurrent transaction.",
    source=OURS,
)
TRANSACTION_RETRIES: Final = Counter(
    name="mita.database.transaction.retries",
    unit="{retry}",
    description="Transactions that were tried again, by why.",
    source=OURS,
    attributes=(closed("reason", "deadlock", "serialization_failure", "connection", "timeout", "other"),),
)
POOL_OVERFLOW: Final = UpDownCounter(
    name="mita.database.pool.overflow",
    unit="{connection}",
    description="Open connections beyond the size of the pool.",
    source=OURS,
    attributes=_POOL,
)
POOL_OVERFLOW_OPENED: Final = Counter(
    name="mita.database.pool.overflow.opened",
    unit="{connection}",
    description="Connections that were opened beyond the size of the pool.",
    source=OURS,
    attributes=_POOL,
)
SLOW_QUERIES: Final = Counter(
    name="mita.database.slow_queries",
    unit="{query}",
    description="Queries that took at least MITA_SLOW_QUERY_SECONDS.",
    source=OURS,
    attributes=(_VERB,),
)
SLOW_QUERY_TIME: Final = Counter(
    name="mita.database.slow_query.time",
    unit="s",
    description="Time that slow queries took, of the ten kinds that took the most.",
    source=OURS,
    attributes=(bounded("db.query.summary", "verbs and tables of the ten kinds"),),
)
N_PLUS_ONE: Final = Counter(
    name="mita.database.n_plus_one",
    unit="{statement}",
    description="Statements that ran at least MITA_N_PLUS_ONE times for one request.",
    source=OURS,
    attributes=(bounded("http.route", "the application's route templates"),),
)
