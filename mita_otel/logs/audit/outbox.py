"""RESTRICTED events: committed with the business transaction that they are about, and chained from there.

They have a chain of their own, beside the process's: its records are made in the transaction that takes the events out
of the outbox, so that an event is in one of the two places and never in both, whoever dies meanwhile.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import orjson

from mita_otel.logs.audit.chain import Head, link
from mita_otel.logs.audit.checkpoints import Checkpoints
from mita_otel.logs.audit.database import Database
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.model import Event, EventType, Outcome, Record, Sensitivity
from mita_otel.logs.audit.statistics import Statistics

BATCH: Final = 100
"""Events of one transaction."""

BUSY: Final = 10.0
"""Seconds for which the outbox is looked into every second, after an event of this process was left there."""

IDLE: Final = 15.0
"""Seconds between two looks otherwise: for what a process left behind that is gone."""


def leave(event: Event, now: datetime) -> dict[str, Any]:
    """Return the row of an event in the outbox."""
    return {"id": uuid4().hex, "created_at": now, "event": orjson.dumps(asdict(event)).decode()}


def taken(id: str, event: str) -> Event:  # noqa: A002 - the column's name
    """Return the event of a row of the outbox; one that cannot be read becomes an event that says so."""
    try:
        read: Mapping[str, Any] = orjson.loads(event)
        known = {
            "event_type": EventType(read["event_type"]),
            "outcome": Outcome(read["outcome"]),
            "sensitivity": Sensitivity(read["sensitivity"]),
            "outbox_id": id,
        }
        return Event(**{**read, **known})
    except (ValueError, TypeError, KeyError):
        kind, action = EventType.SECURITY_VIOLATION, "audit.outbox_unreadable"
        return Event(kind, action, Outcome.FAILURE, Sensitivity.RESTRICTED, outbox_id=id)


class Outbox:
    """Moves events from the outbox into a chain; only the writer's thread uses it."""

    __slots__ = ("_busy_until", "_chain", "_checkpoints", "_database", "_head", "_key", "_next", "_now", "_statistics")

    def __init__(
        self,
        database: Database,
        *,
        chain: str,
        key: Key,
        checkpoints: Checkpoints,
        statistics: Statistics,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._chain = chain
        self._key = key
        self._checkpoints = checkpoints
        self._statistics = statistics
        self._now = now
        self._head: Head | None = Head(chain)
        self._busy_until = 0.0
        self._next = 0.0

    def expect(self) -> None:
        """Look soon and often: an event will be committed, or rolled back, any moment."""
        self._busy_until = time.monotonic() + BUSY
        self._next = 0.0

    async def move(self) -> None:
        """Move what is there, if it is time for a look.

        Raises:
            Exception: the database did not take it.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.0 if now < self._busy_until else IDLE)
        while await self._batch():
            pass

    async def end(self) -> None:
        """Move what this process may have left.

        Raises:
            Exception: as `move`.
        """
        self._next = 0.0
        await self.move()

    async def _batch(self) -> bool:
        if self._head is None:
            # What became of the last transaction is not known.
            self._head = await self._database.head(self._chain)
        before = head = self._head
        self._head = None

        def chained(rows: list[tuple[str, str]]) -> list[Record]:
            nonlocal head
            records = []
            for row in rows:
                record, head = link(head, taken(*row), self._now(), self._key)
                records.append(record)
            return records

        records = await self._database.take_outbox(BATCH, chained)
        self._head = head if records else before
        if records:
            self._statistics.count("written", len(records))
            await self._checkpoints.follow(head)
        return len(records) == BATCH
