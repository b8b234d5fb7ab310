"""Signed statements of how far each chain has come: into the database, and as log records into another store."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Final

from mita_otel.logs.audit.chain import Head, checkpoint
from mita_otel.logs.audit.database import Database
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.statistics import LOGGER, STREAM

SECONDS: Final = 60.0
RECORDS: Final = 1_000
"""A checkpoint is made after so many seconds or so many records, whichever comes first."""

PREFIX: Final = "audit.checkpoint."
"""Before the names of a checkpoint's parts in a log record."""

_logger: Final = logging.getLogger(LOGGER)


class Checkpoints:
    """Makes the checkpoints of this process's chains; only the writer's thread uses it.

    Args:
        database: keeps them.
        key: signs them.
        now: the clock.
    """

    __slots__ = ("_database", "_key", "_now", "_reached", "_stated")

    def __init__(self, database: Database, key: Key, now: Callable[[], datetime]) -> None:
        self._database = database
        self._key = key
        self._now = now
        self._stated: dict[str, tuple[int, float]] = {}
        self._reached: dict[str, Head] = {}

    async def follow(self, head: Head) -> None:
        """Take note of how far a chain has come in the database, and state it if it is time.

        Raises:
            Exception: the database did not take the checkpoint; it is made the next time.
        """
        if not head.seq:
            return
        now = time.monotonic()
        self._reached[head.chain] = head
        seq, at = self._stated.setdefault(head.chain, (0, now))
        if head.seq - seq >= RECORDS or (head.seq > seq and now - at >= SECONDS):
            await self.state(head)

    async def state(self, head: Head) -> None:
        """State now how far a chain has come.

        Raises:
            Exception: as `follow`.
        """
        made = checkpoint(head, self._now(), self._key)
        await self._database.keep(made)
        self._stated[head.chain] = (head.seq, time.monotonic())
        parts = {f"{PREFIX}{name}": value for name, value in asdict(made).items()}
        _logger.info("audit checkpoint", extra={**STREAM, **parts})

    async def end(self) -> None:
        """State the last records of every chain.

        Raises:
            Exception: as `follow`.
        """
        for head in self._reached.values():
            if head.seq > self._stated[head.chain][0]:
                await self.state(head)
