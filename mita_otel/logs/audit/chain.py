"""A chain of records: each is hashed together with the hash before it, so that none changes or goes unnoticed.

    hash = HMAC-SHA256(key, previous hash || canonical JSON of the record)

The record's own JSON holds its chain, its place and the id of the key. One process writes one chain, so that no lock is
shared between processes; the order is that of the places, for clocks go back.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from mita_otel.logs.audit.canonical import canonical
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.model import Event, Record

VERSION: Final = 1
"""Of the form of a body."""

GENESIS: Final = "0" * 64
"""The hash before the first record."""

_PROOF: Final = b"mita-audit-checkpoint\n"
"""Keeps a checkpoint's signature from ever being the hash of a record."""

CLOCK_BACK: Final = "clock_back_seconds"


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain has come.

    Attributes:
        chain: its name.
        seq: the place of its last record, 0 if there is none.
        hash: of that record.
        at: the latest time that a record had.
    """

    chain: str
    seq: int = 0
    hash: str = GENESIS
    at: datetime | None = None


def seal(key: Key, previous: str, body: str) -> str:
    """Return the hash of a record."""
    return key.digest(bytes.fromhex(previous), body.encode())


def link(head: Head, event: Event, now: datetime, key: Key) -> tuple[Record, Head]:
    """Return the record of an event as the next of a chain, and the chain's new head.

    Args:
        head: how far the chain has come.
        event: what is recorded.
        now: in UTC; one that is before the chain's latest time is recorded as it is, and by how much it went back.
        key: seals the record.
    """
    seq = head.seq + 1
    body = canonical(_body(head, seq, event, now, key))
    sealed = seal(key, head.hash, body)
    record = Record(head.chain, seq, body, head.hash, sealed, key.id)
    at = now if head.at is None else max(head.at, now)
    return record, Head(head.chain, seq, sealed, at)


def _body(head: Head, seq: int, event: Event, now: datetime, key: Key) -> dict[str, Any]:
    body: dict[str, Any] = {
        "v": VERSION,
        "chain": head.chain,
        "seq": seq,
        "key": key.id,
        "occurred_at": timestamp(now),
        "event_type": event.event_type.value,
        "action": event.action,
        "outcome": event.outcome.value,
        "sensitivity": event.sensitivity.value,
    }
    if head.at is not None and now < head.at:
        body[CLOCK_BACK] = round((head.at - now).total_seconds(), 6)
    optional = (
        ("user", event.user), ("address", event.address), ("place", event.place),
        ("resource_type", event.resource_type), ("resource_id", event.resource_id),
        ("trace_id", event.trace_id), ("span_id", event.span_id), ("correlation_id", event.correlation_id),
        ("details", event.details), ("changes", event.changes), ("outbox_id", event.outbox_id),
    )  # fmt: skip
    body.update((name, value) for name, value in optional if value)
    return body


def timestamp(moment: datetime) -> str:
    """Write a time of UTC with microseconds."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of how far a chain had come; whoever keeps it sees what is cut off later.

    Attributes:
        chain: its name.
        seq: the place of its last record.
        hash: of that record.
        at: when, as a timestamp in UTC.
        key: the id of the key.
        proof: the signature, in hexadecimal.
    """

    chain: str
    seq: int
    hash: str
    at: str
    key: str
    proof: str = ""

    def signed(self, key: Key) -> "Checkpoint":
        """Return it with its signature."""
        return replace(self, key=key.id, proof=self._proof(key))

    def holds(self, key: Key) -> bool:
        """Say whether the signature is the key's."""
        return self.proof == self._proof(key)

    def _proof(self, key: Key) -> str:
        stated = {"chain": self.chain, "seq": self.seq, "hash": self.hash, "at": self.at, "key": key.id}
        return key.digest(_PROOF, canonical(stated).encode())


def checkpoint(head: Head, now: datetime, key: Key) -> Checkpoint:
    """Return a signed checkpoint of a chain."""
    return Checkpoint(head.chain, head.seq, head.hash, timestamp(now), key.id).signed(key)


def read_body(body: str) -> dict[str, Any] | None:
    """Return what a body says, or None if it is not one."""
    try:
        read = json.loads(body)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None
