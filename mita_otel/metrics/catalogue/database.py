"""Databases and their connection pools."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import DURATIONS, SERVER_ADDRESS, SERVER_PORT
from mita_otel.metrics.instrument import Counter, Histogram, UpDownCounter, bounded, closed

_SOURCE: Final = "https://opentelemetry.io/docs/specs/semconv/db/database-metrics/"

_SYSTEM: Final = bounded("db.system.name", "database systems in use")
_POOL: Final = (bounded("db.client.connection.pool.name", "the service's databases, as host:port/name"), _SYSTEM)

OPERATION_DURATION: Final = Histogram(
    name="db.client.operation.duration",
    unit="s",
    description="Duration of database client operations.",
    source=_SOURCE,
    attributes=(
        _SYSTEM,
        bounded("db.namespace", "databases that the service uses"),
        bounded("db.operation.name", "verbs of SQL, commands of Redis, PIPELINE"),
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
