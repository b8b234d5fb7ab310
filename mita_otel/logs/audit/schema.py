"""Makes the tables what they have to be: partitioned, indexed, and closed to changes.

A service's own Alembic revision runs it by one line, `audit.upgrade(op.get_bind())`; without Alembic it is
`mita-otel audit migrate`. Either may run again.
"""

import re
from typing import Final

from sqlalchemy import Connection, text

from mita_otel.logs.audit.model import AuditError
from mita_otel.logs.audit.tables import CHECKPOINTS, METADATA, OUTBOX, RECORDS

MONTHS_AHEAD: Final = 3
"""Partitions that are there before they are needed."""

_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_CLOSED: Final = (RECORDS.name, CHECKPOINTS.name)
_NAMES: Final = frozenset(table.name for table in METADATA.sorted_tables)

_REFUSE: Final = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the audit log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

_PARTITIONS: Final = """
CREATE OR REPLACE FUNCTION audit_partitions(ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    following timestamptz;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7300142);
    FOR step IN 0..least(ahead, 24) LOOP
        following := ((month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
        name := 'audit_logs_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF audit_logs FOR VALUES FROM (%L) TO (%L)',
                               name, month, following);
                EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I '
                               'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', name);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'audit_logs_other holds records of %, they stay there', to_char(month, 'YYYY-MM');
            END;
        END IF;
        month := following;
    END LOOP;
    RETURN made;
END $$
"""

_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_created_at ON audit_logs {brin} (created_at)",
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_user_id ON audit_logs (user_id, created_at)",
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_event_type ON audit_logs (event_type, created_at)",
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_trace_id ON audit_logs (trace_id) WHERE trace_id IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS ix_audit_outbox_created_at ON audit_outbox (created_at)",
)
"""Source: observability report, section 4.4; the trace for `mita-otel audit verify --trace`."""


def is_ours(name: str | None) -> bool:
    """Say whether a table is the audit log's, for the `include_name` of a service's Alembic."""
    return name is not None and (name in _NAMES or name.startswith(f"{RECORDS.name}_"))


def upgrade(connection: Connection) -> None:
    """Make everything that is not there yet, in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        _upgrade_postgresql(connection)
    else:
        _upgrade_sqlite(connection)


def downgrade(connection: Connection) -> None:
    """Take everything away, unless a record was made.

    Raises:
        AuditError: there are records, which no migration may delete.
    """
    if connection.execute(text("SELECT 1 FROM audit_logs LIMIT 1")).first() is not None:
        raise AuditError("audit_logs holds records: archive them (mita-otel audit export) and drop the table by hand")
    for table in (OUTBOX, CHECKPOINTS, RECORDS):
        connection.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION IF EXISTS audit_partitions(integer)"))
        connection.execute(text("DROP FUNCTION IF EXISTS audit_refuse()"))


def grant(connection: Connection, role: str) -> None:
    """Let a role of PostgreSQL write audit records, and nothing else with them.

    It may insert records and checkpoints, and see of records only place and hash, which the outbox's chain goes on
    from; it may use the outbox, and have partitions made.

    Raises:
        AuditError: the database has no roles, or the name is none.
    """
    if connection.dialect.name != "postgresql":
        raise AuditError(f"{connection.dialect.name} has no roles; only PostgreSQL can keep the writer to inserts")
    if not _ROLE.fullmatch(role):
        raise AuditError(f"{role!r} is no name of a role: it takes small letters, digits and '_'")
    for statement in (
        f"REVOKE ALL ON audit_logs, audit_checkpoints, audit_outbox FROM {role}",
        f"GRANT INSERT, SELECT (chain, seq, hash) ON audit_logs TO {role}",
        f"GRANT INSERT ON audit_checkpoints TO {role}",
        f"GRANT SELECT, INSERT, DELETE, UPDATE ON audit_outbox TO {role}",
        f"GRANT EXECUTE ON FUNCTION audit_partitions(integer) TO {role}",
    ):
        connection.execute(text(statement))


def _upgrade_postgresql(connection: Connection) -> None:
    columns = ",\n".join(
        f"{column.name} {column.type.compile(connection.dialect)}{'' if column.nullable else ' NOT NULL'}"
        for column in RECORDS.columns
    )
    # A unique key of a partitioned table holds what it is partitioned by; a record's time never differs.
    key = "PRIMARY KEY (chain, seq, created_at)"
    for statement in (
        f"CREATE TABLE IF NOT EXISTS audit_logs ({columns}, {key}) PARTITION BY RANGE (created_at)",
        # For a clock that is years off: a record is never refused for its time.
        "CREATE TABLE IF NOT EXISTS audit_logs_other PARTITION OF audit_logs DEFAULT",
        _REFUSE,
        _PARTITIONS,
        "REVOKE ALL ON FUNCTION audit_partitions(integer) FROM PUBLIC",
    ):
        connection.execute(text(statement))
    METADATA.create_all(connection, tables=[CHECKPOINTS, OUTBOX], checkfirst=True)
    for table in (*_CLOSED, f"{RECORDS.name}_other"):
        _close(connection, table, rows=table in _CLOSED)
    for index in _INDEXES:
        connection.execute(text(index.format(brin="USING brin")))
    connection.execute(text("SELECT audit_partitions(:ahead)"), {"ahead": MONTHS_AHEAD})


def _close(connection: Connection, table: str, *, rows: bool) -> None:
    """Refuse changes; partitions inherit the triggers of rows, but none of statements."""
    triggers = [("audit_no_truncate", "TRUNCATE", "STATEMENT")]
    if rows:
        triggers.append(("audit_no_change", "UPDATE OR DELETE", "ROW"))
    for name, operation, each in triggers:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
        connection.execute(
            text(f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH {each} EXECUTE FUNCTION audit_refuse()")
        )


def _upgrade_sqlite(connection: Connection) -> None:
    METADATA.create_all(connection, checkfirst=True)
    for index in _INDEXES:
        connection.execute(text(index.format(brin="")))
    for table in _CLOSED:
        for operation in ("UPDATE", "DELETE"):
            connection.execute(
                text(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{operation} of {table} is refused: the audit log is append-only'); END"
                )
            )
