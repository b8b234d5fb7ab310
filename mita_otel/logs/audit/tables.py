"""The three tables: the records, their checkpoints, and the outbox of business transactions."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text

from mita_otel.logs.audit.chain import read_body
from mita_otel.logs.audit.model import Record

METADATA: Final = MetaData()

RECORDS: Final = Table(
    "audit_logs",
    METADATA,
    Column("chain", String(200), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("created_at", DateTime(timezone=True), primary_key=True),
    Column("event_type", String(32), nullable=False),
    Column("action", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("sensitivity", String(16), nullable=False),
    Column("user_id", String(200)),
    Column("address", String(200)),
    Column("place", String(200)),
    Column("resource_type", String(200)),
    Column("resource_id", String(200)),
    Column("trace_id", String(32)),
    Column("span_id", String(16)),
    Column("correlation_id", String(200)),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("key", String(32), nullable=False),
)
"""A record's columns repeat what its body says, to be searched by; the body is what is hashed."""

CHECKPOINTS: Final = Table(
    "audit_checkpoints",
    METADATA,
    Column("chain", String(200), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("key", String(32), nullable=False),
    Column("proof", String(64), nullable=False),
)

OUTBOX: Final = Table(
    "audit_outbox",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
)

COLUMNS: Final = tuple(column.name for column in RECORDS.columns)

SEARCHED: Final = {
    "chain": "chain", "seq": "seq", "key": "key", "event_type": "event_type", "action": "action", "outcome": "outcome",
    "sensitivity": "sensitivity", "user_id": "user", "address": "address", "place": "place",
    "resource_type": "resource_type", "resource_id": "resource_id", "trace_id": "trace_id", "span_id": "span_id",
    "correlation_id": "correlation_id",
}  # fmt: skip
"""Columns, and where in the body their values are."""


def row_of(record: Record) -> dict[str, Any]:
    """Return the row of a record."""
    body = read_body(record.body) or {}
    row: dict[str, Any] = {column: body.get(name) for column, name in SEARCHED.items()}
    return row | {
        "chain": record.chain,
        "seq": record.seq,
        "created_at": moment(str(body.get("occurred_at"))),
        "body": record.body,
        "previous": record.previous,
        "hash": record.hash,
        "key": record.key,
    }


def moment(timestamp: str) -> datetime:
    """Read a timestamp of a body.

    Raises:
        ValueError: it is none.
    """
    return datetime.fromisoformat(timestamp).astimezone(UTC)


def utc(value: Any) -> Any:
    """Return a time of the database with its zone, which SQLite forgets."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
