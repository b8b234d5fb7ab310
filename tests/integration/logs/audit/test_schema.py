"""The tables refuse changes, are divided by months, and let a writer do nothing but write."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from mita_otel.logs import audit
from mita_otel.logs.audit import schema
from mita_otel.logs.audit.database import Database, read_url
from tests.integration.logs.audit.conftest import Run, Stored


@pytest.fixture
async def filled(stored: Stored, run: Run) -> Stored:
    async with run(stored.url):
        audit.record(audit.EventType.REQUEST, "x.y")
    return stored


@pytest.fixture
async def filled_postgres(on_postgres: Stored, run: Run) -> Stored:
    async with run(on_postgres.url):
        audit.record(audit.EventType.REQUEST, "x.y")
    return on_postgres


@pytest.mark.parametrize("table", ["audit_logs", "audit_checkpoints"])
@pytest.mark.parametrize("change", ["UPDATE {} SET hash = 'x'", "DELETE FROM {}"])
async def test_a_change_is_refused(filled: Stored, table: str, change: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        await filled.execute(change.format(table))
    assert (await filled.verified()).is_sound


async def _partitions(stored: Stored) -> list[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass ORDER BY 1"
    return [row[0] for row in await stored.rows(query)]


async def test_a_change_of_one_partition_is_refused_too(filled_postgres: Stored) -> None:
    for table in ["audit_logs", *await _partitions(filled_postgres)]:
        with pytest.raises(DBAPIError, match="append-only"):
            await filled_postgres.execute(f"TRUNCATE {table}")
    month = (await _partitions(filled_postgres))[0]
    with pytest.raises(DBAPIError, match="append-only"):
        await filled_postgres.execute(f"DELETE FROM {month}")


async def test_records_are_in_the_partition_of_their_month_and_the_next_ones_are_there(filled_postgres: Stored) -> None:
    partitions = await _partitions(filled_postgres)
    assert [bool(re.fullmatch(r"audit_logs_\d{4}_\d\d", name)) for name in partitions] == [True] * 4 + [False]
    used = await filled_postgres.rows("SELECT DISTINCT tableoid::regclass::text FROM audit_logs")
    assert [row[0] for row in used] == partitions[:1]


async def test_a_record_of_any_time_is_taken(on_postgres: Stored, run: Run) -> None:
    async with run(on_postgres.url):
        audit.record(audit.EventType.REQUEST, "x.y")
    first = (await _partitions(on_postgres))[0]
    await on_postgres.execute(f"ALTER TABLE audit_logs DETACH PARTITION {first}", f"DROP TABLE {first}")
    async with run(on_postgres.url):
        audit.record(audit.EventType.REQUEST, "x.z")
    assert len(await on_postgres.events("x.z")) == 1


async def test_the_indexes_are_those_that_are_asked_by(filled_postgres: Stored) -> None:
    which = "tablename = 'audit_logs' AND indexname LIKE 'ix_%'"
    query = f"SELECT indexdef FROM pg_indexes WHERE {which} ORDER BY indexname"
    found = [row[0].partition(" USING ")[2] for row in await filled_postgres.rows(query)]
    assert found == [
        "brin (created_at)", "btree (event_type, created_at)", "btree (trace_id) WHERE (trace_id IS NOT NULL)",
        "btree (user_id, created_at)",
    ]  # fmt: skip


async def test_the_schema_may_be_made_again(filled: Stored) -> None:
    await filled.migrate()
    assert (await filled.verified()).is_sound


async def test_no_migration_deletes_records(filled: Stored) -> None:
    database = Database(read_url(filled.url))
    with pytest.raises(audit.AuditError, match="archive them"):
        await database.run(schema.downgrade)
    await database.close()
    assert len(await filled.events("x.y")) == 1


@pytest.fixture
async def writer_url(on_postgres: Stored) -> AsyncIterator[str]:
    """The database as a role that may insert."""
    role = f"writer_{uuid4().hex[:8]}"
    await on_postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'writer'")
    database = Database(read_url(on_postgres.url))
    await database.run(lambda connection: schema.grant(connection, role))
    await database.close()
    yield re.sub(r"//[^@]*@", f"//{role}:writer@", on_postgres.url)
    await on_postgres.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_a_role_that_may_only_insert_is_enough_to_write(on_postgres: Stored, writer_url: str, run: Run) -> None:
    async with run(writer_url):
        audit.record(audit.EventType.REQUEST, "x.y")
        database = Database(read_url(writer_url))
        await database.prepare_partitions()
        async with database._engine.begin() as connection:
            await audit.restricted(connection, "x.z")
        await database.close()
    assert len(await on_postgres.events("x.y")) == 1
    assert len(await on_postgres.events("x.z")) == 1
    assert (await on_postgres.verified()).is_sound


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM audit_logs", "SELECT * FROM audit_checkpoints", "DELETE FROM audit_logs",
        "UPDATE audit_logs SET hash = 'x'", "TRUNCATE audit_logs", "ALTER TABLE audit_logs DISABLE TRIGGER ALL",
        "DROP TABLE audit_logs",
    ],
)  # fmt: skip
async def test_that_role_can_do_nothing_else(on_postgres: Stored, writer_url: str, statement: str) -> None:
    other = Stored(writer_url)
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner|append-only"):
        await other.execute(statement)
    await other.close()


async def test_a_database_without_roles_says_so(tmp_path: Path) -> None:
    database = Database(read_url(f"sqlite:///{tmp_path / 'audit.db'}"))
    with pytest.raises(audit.AuditError, match="sqlite has no roles"):
        await database.run(lambda connection: schema.grant(connection, "writer"))
    await database.close()
