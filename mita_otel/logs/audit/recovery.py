"""What processes that were killed have left behind: their journals are written to the database, each record once."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mita_otel.logs.audit.chain import Head
from mita_otel.logs.audit.checkpoints import Checkpoints
from mita_otel.logs.audit.database import Database
from mita_otel.logs.audit.journal import Orphan, orphans
from mita_otel.logs.audit.model import Event, EventType, Outcome, Record, Sensitivity
from mita_otel.logs.audit.statistics import Statistics

EVERY: Final = 30.0
"""Seconds between two looks for journals without a process."""

BATCH: Final = 500


class Recovery:
    """Takes over journals; only the writer's thread uses it.

    Args:
        database: where their records go.
        root: the folder that they are in.
        checkpoints: states how far their chains have come.
        statistics: counts.
        say: records what was recovered.
    """

    __slots__ = ("_checkpoints", "_database", "_next", "_root", "_say", "_statistics")

    def __init__(
        self,
        database: Database,
        root: Path,
        checkpoints: Checkpoints,
        statistics: Statistics,
        say: Callable[[Event], object],
    ) -> None:
        self._database = database
        self._root = root
        self._checkpoints = checkpoints
        self._statistics = statistics
        self._say = say
        self._next = 0.0

    async def look(self) -> None:
        """Write what journals without a process hold, if it is time for a look.

        Raises:
            Exception: the database did not take it; it stays where it is.
        """
        now = time.monotonic()
        if now < self._next:
            return
        for orphan in orphans(self._root):
            try:
                await self._recover(orphan)
            except BaseException:
                orphan.release()
                raise
        self._next = now + EVERY

    async def _recover(self, orphan: Orphan) -> None:
        last: Record | None = None
        events = new = 0
        for batch in orphan.batches(BATCH):
            new += await self._database.write(batch)
            events += len(batch)
            last = batch[-1]
        if last is not None:
            await self._checkpoints.state(Head(last.chain, last.seq, last.hash))
        self._statistics.count("recovered", new)
        if orphan.damaged:
            self._statistics.failed("damaged", f"{orphan.damaged} lines of {orphan.folder.name} cannot be read")
        orphan.finish()
        if last is not None or orphan.damaged:
            self._say(_recovered(orphan, last, events, new))


def _recovered(orphan: Orphan, last: Record | None, events: int, new: int) -> Event:
    details = {
        "chain": last.chain if last else orphan.folder.name,
        "last_seq": last.seq if last else 0,
        "events": events,
        "new": new,
        "damaged": orphan.damaged,
    }
    outcome = Outcome.FAILURE if orphan.damaged else Outcome.SUCCESS
    return Event(EventType.SYSTEM_EVENT, "audit.journal_recovered", outcome, Sensitivity.INTERNAL, details=details)
