"""Chains made in memory, as the database would give them back."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mita_otel.logs.audit.chain import Head, link
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.model import Event, EventType, Outcome, Record, Sensitivity
from mita_otel.logs.audit.tables import SEARCHED, row_of
from mita_otel.logs.audit.verification import Row

KEY = Key("k1", b"s" * 40)
BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def event(action: str = "budget.changed", **details: object) -> Event:
    return Event(EventType.DATA_MODIFICATION, action, Outcome.SUCCESS, Sensitivity.CONFIDENTIAL, details=details)


def chain(length: int, key: Key = KEY, name: str = "c") -> tuple[list[Record], list[Head]]:
    """Return the records of a chain, and its heads, the empty one first."""
    head, records, heads = Head(name), [], [Head(name)]
    for number in range(length):
        record, head = link(head, event(n=number), BEGAN + timedelta(seconds=number), key)
        records.append(record)
        heads.append(head)
    return records, heads


def stored(records: Sequence[Record]) -> list[Row]:
    return [_stored(record) for record in records]


def _stored(record: Record) -> Row:
    row = row_of(record)
    return Row(
        chain=record.chain, seq=record.seq, created_at=row["created_at"], body=record.body, previous=record.previous,
        hash=record.hash, key=record.key, columns={name: row[name] for name in SEARCHED},
    )  # fmt: skip


def with_body(record: Record, **changes: object) -> str:
    return json.dumps(json.loads(record.body) | changes, sort_keys=True, separators=(",", ":"))
