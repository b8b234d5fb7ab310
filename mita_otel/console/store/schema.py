"""The tables of the console's file, and how to open it.

Times are microseconds since the epoch, durations microseconds. Trace and span ids are BLOBs of 16 and 8 bytes. A
*block* is 2,048 consecutive ids of spans or of log records; `blocks` tells how one is found. Rows that belong together
(`spans` and `span_bodies`, `records` and `record_bodies`) share their id. Ids grow with arrival, not with time.
"""

import sqlite3
from pathlib import Path
from typing import Final

VERSION: Final = 2
"""Kept in the file as `user_version`; a file of another version is refused."""

DATABASE_PEER: Final = "database:"
"""Begins the callee of an edge in `calls` that is a database, as in `database:postgresql`."""

EXTERNAL_PEER: Final = "external:"
"""Begins the callee of an edge in `calls` that sent no spans, as in `external:api.example.com`."""

OTHER_OPERATION: Final = "(other)"
"""The name of a service's operations beyond the first 10,000 of all services."""

ERROR: Final = 1
"""Bit of `spans.flags`: the span's status is an error."""

ROOT: Final = 2
"""Bit of `spans.flags`: the span has no parent."""

_TABLES: Final = """
CREATE TABLE resources(id INTEGER PRIMARY KEY, digest BLOB UNIQUE, service TEXT, body BLOB);
CREATE TABLE scopes(id INTEGER PRIMARY KEY, digest BLOB UNIQUE, name TEXT, body BLOB);
CREATE TABLE operations(id INTEGER PRIMARY KEY, service TEXT, name TEXT, kind INTEGER, UNIQUE(service, name, kind));

CREATE TABLE spans(
    id INTEGER PRIMARY KEY, trace BLOB, operation INTEGER, resource INTEGER, scope INTEGER,
    start INTEGER, duration INTEGER, flags INTEGER
);
CREATE INDEX spans_by_trace ON spans(trace);
CREATE TABLE span_bodies(id INTEGER PRIMARY KEY, body BLOB);
-- first and last: of the starts; written: when the newest of them arrived.
CREATE TABLE span_blocks(
    block INTEGER PRIMARY KEY, first INTEGER, last INTEGER, spans INTEGER, written INTEGER, bloom BLOB
);
CREATE TABLE span_block_operations(
    operation INTEGER, block INTEGER, spans INTEGER, errors INTEGER, longest INTEGER, PRIMARY KEY(operation, block)
) WITHOUT ROWID;

CREATE TABLE records(
    id INTEGER PRIMARY KEY, time INTEGER, severity INTEGER, resource INTEGER, scope INTEGER, trace BLOB
);
CREATE INDEX records_by_trace ON records(trace) WHERE trace IS NOT NULL;
CREATE TABLE record_bodies(id INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE record_blocks(
    block INTEGER PRIMARY KEY, first INTEGER, last INTEGER, records INTEGER, severest INTEGER, written INTEGER,
    bloom BLOB
);

-- See `telling`. Event is a name of `Event`; oldest and newest are ids of records of the minute.
CREATE TABLE told(record INTEGER PRIMARY KEY, event TEXT, service TEXT);
CREATE INDEX told_by_event ON told(event, service, record);
CREATE TABLE error_minutes(
    minute INTEGER, service TEXT, fingerprint TEXT, errors INTEGER, oldest INTEGER, newest INTEGER,
    PRIMARY KEY(minute, service, fingerprint)
) WITHOUT ROWID;

-- kind: sum, gauge, histogram, exponential_histogram or summary; temporality: 0 none, 1 delta, 2 cumulative.
CREATE TABLE instruments(
    id INTEGER PRIMARY KEY, service TEXT, name TEXT, unit TEXT, description TEXT, kind TEXT, monotonic INTEGER,
    temporality INTEGER, UNIQUE(service, name, kind, unit)
);
CREATE TABLE series(
    id INTEGER PRIMARY KEY, instrument INTEGER, resource INTEGER, digest BLOB, attributes TEXT,
    UNIQUE(instrument, resource, digest)
);
-- value: of sums and gauges, NULL for NaN and for "no value recorded"; for the others their count.
-- body: of histograms and summaries, the data point without attributes and exemplars, else NULL.
CREATE TABLE points(
    series INTEGER, time INTEGER, start INTEGER, value REAL, body BLOB, PRIMARY KEY(series, time)
) WITHOUT ROWID;
CREATE TABLE exemplars(id INTEGER PRIMARY KEY, series INTEGER, time INTEGER, value REAL, trace BLOB, span BLOB);
CREATE INDEX exemplars_by_trace ON exemplars(trace);
CREATE INDEX exemplars_by_series ON exemplars(series, time);

-- buckets: counts by bucket of duration, see `durations`.
CREATE TABLE minutes(
    minute INTEGER, operation INTEGER, calls INTEGER, errors INTEGER, buckets BLOB, PRIMARY KEY(minute, operation)
) WITHOUT ROWID;
-- A call whose other side shows up later moves from one edge to another: rows with 0 calls are no edges.
CREATE TABLE calls(
    minute INTEGER, caller TEXT, callee TEXT, calls INTEGER, errors INTEGER, PRIMARY KEY(minute, caller, callee)
) WITHOUT ROWID;
-- name: <spans|records|points|exemplars>.<received|rejected|expired>, requests.<malformed|refused|failed>
CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER);
"""


class StoreError(Exception):
    """The file cannot be used; the message says why and what to do."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file, and make it if it is missing and is to be written.

    The connection may be used by any thread, by one at a time. The writing one is in autocommit mode: it begins and
    ends its transactions itself. There must be one writing connection only.

    Raises:
        StoreError: the file is no database, of another version, or cannot be opened.
    """
    address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
        try:
            _prepare_reading(connection) if read_only else _prepare_writing(connection)
            _check_version(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}; delete the file, or choose another folder") from error
    return connection


def _prepare_reading(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -4096")


def _prepare_writing(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA wal_autocheckpoint = 4096")
    connection.execute("PRAGMA journal_size_limit = 33554432")
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {VERSION};COMMIT;")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != VERSION:
        raise StoreError(
            f"{path}: this file has version {found}, this console needs {VERSION}; delete it, or choose another folder"
        )
