"""The one thread that brings what is acknowledged into the database, and back into order what went wrong."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DataError, InternalError, ProgrammingError

from mita_otel.export.bell import Bell
from mita_otel.logs.audit.checkpoints import Checkpoints
from mita_otel.logs.audit.database import Database
from mita_otel.logs.audit.intake import Intake, records_of
from mita_otel.logs.audit.journal import encode
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.model import Event, EventType, Outcome, Record, Sensitivity
from mita_otel.logs.audit.outbox import Outbox
from mita_otel.logs.audit.recovery import Recovery
from mita_otel.logs.audit.statistics import Statistics
from mita_otel.traces import unobserved

BATCH: Final = 10
"""Events that are written at once as soon as so many wait. Source: observability report, section 1.2."""

INTERVAL: Final = 1.0
"""Seconds after which fewer are written, too."""

CATCH_UP: Final = 500
"""Events of one transaction while the database is behind."""

DRAINED: Final = 20
"""Transactions in a row."""

PAUSES: Final = (0.2, 5.0)
"""Seconds before a database that failed is asked again: doubled from the first to the second."""

PARTITIONS_EVERY: Final = 6 * 3600.0
PARTITIONS_AGAIN: Final = 60.0
"""Seconds between two looks at the partitions, and after a look that failed."""


class Writer:
    """Writes until it is stopped.

    Args:
        intake: where events come from.
        database: where they go.
        root: the folder of this service's journals.
        key: seals checkpoints.
        statistics: counts.
        now: the clock.
    """

    def __init__(
        self,
        intake: Intake,
        database: Database,
        *,
        root: Path,
        key: Key,
        statistics: Statistics,
        now: Callable[[], datetime],
    ) -> None:
        self._intake = intake
        self._database = database
        self._statistics = statistics
        self._refused = root / "refused.jsonl"
        self._checkpoints = Checkpoints(database, key, now)
        self._outbox = Outbox(
            database,
            chain=f"{intake.head.chain}.outbox",
            key=key,
            checkpoints=self._checkpoints,
            statistics=statistics,
            now=now,
        )
        self._recovery = Recovery(database, root, self._checkpoints, statistics, intake.accept)
        self._bell = Bell()
        self._failures = 0
        self._retry_at = 0.0
        self._partitions_at = 0.0
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="mita-audit", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hear(self) -> None:
        """Wake the thread if a batch waits."""
        if self._intake.waiting >= BATCH and not self._failures:
            self._bell.ring()

    def expect_outbox(self) -> None:
        """Look into the outbox soon and often: an event is on its way there."""
        self._outbox.expect()

    def stop(self, timeout: float) -> bool:
        """Write what waits, within so many seconds; return whether the database has everything."""
        self._deadline = time.monotonic() + timeout
        self._bell.ring()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._intake.waiting

    # What follows runs in the thread only.

    def _run(self) -> None:
        # Neither spans nor durations of a user's queries.
        with unobserved(), asyncio.Runner() as runner:
            while self._deadline is None:
                self._bell.wait(INTERVAL)
                self._round(runner)
            self._retry_at = 0.0
            self._round(runner)
            self._guarded(lambda: runner.run(self._end()))
        self._intake.close()

    def _round(self, runner: asyncio.Runner) -> None:
        self._guarded(self._intake.refill)
        self._guarded(self._admit_losses)
        if time.monotonic() >= self._retry_at:
            self._guarded(lambda: runner.run(self._work()))
        self.hear()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the thread outlives every fault, and says so
            self._statistics.failed("fault", "the writer goes on after a fault", error)

    def _admit_losses(self) -> None:
        self._intake.admit_losses(lambda lost: system_event("audit.events_lost", Outcome.FAILURE, events=lost))

    async def _work(self) -> None:
        try:
            await self._prepare_partitions()
            await self._drain()
            await self._outbox.move()
            await self._checkpoints.follow(self._intake.written)
            await self._recovery.look()
        except Exception as error:  # noqa: BLE001 - any driver's error: the database is away, or not as it must be
            self._away(error)
        else:
            self._here()

    async def _drain(self) -> None:
        # Not for ever: checkpoints, the outbox and the disk have their turn, too, however fast events come.
        for _ in range(DRAINED):
            if not (lines := self._intake.next(CATCH_UP)):
                return
            records, damaged = records_of(lines)
            if damaged:
                self._statistics.count("dropped", damaged)
                self._statistics.failed("damaged", f"{damaged} lines of this process's journal cannot be read")
            await self._write(records)
            self._intake.done(lines, records[-1] if records else None)
            self._here()

    async def _write(self, records: list[Record]) -> None:
        """Write records; one that the database will never take is put aside, and does not hold up the others."""
        if not records:
            return
        try:
            written = await self._database.write(records)
        except (DataError, ValueError) as error:
            if len(records) == 1:
                self._put_aside(records[0], error)
                return
            middle = len(records) // 2
            await self._write(records[:middle])
            await self._write(records[middle:])
        else:
            self._statistics.count("written", written)
            self._statistics.count("repeated", len(records) - written)

    def _put_aside(self, record: Record, error: Exception) -> None:
        with self._refused.open("ab") as file:
            file.write(encode(record))
        self._statistics.failed("damaged", f"the database refused an event; it is kept in {self._refused}", error)

    async def _prepare_partitions(self) -> None:
        now = time.monotonic()
        if now < self._partitions_at:
            return
        try:
            await self._database.prepare_partitions()
        except (ProgrammingError, InternalError) as error:
            # Records go into the default partition until then.
            self._partitions_at = now + PARTITIONS_AGAIN
            self._statistics.failed("partitions", "the partitions of the coming months could not be made", error)
        else:
            self._partitions_at = now + PARTITIONS_EVERY

    def _away(self, error: Exception) -> None:
        self._intake.is_away = True
        first, most = PAUSES
        pause = min(first * 2.0 ** min(self._failures, 10), most)
        self._failures += 1
        self._retry_at = time.monotonic() + pause * random.uniform(0.8, 1.2)  # noqa: S311 - so that workers spread
        self._statistics.failed("database", _explained(error), error)

    def _here(self) -> None:
        if self._failures:
            self._failures = 0
            self._statistics.recovered("database")
        self._intake.is_away = False

    async def _end(self) -> None:
        """State how far the chains have come, for good."""
        try:
            if not self._failures:
                await self._outbox.end()
                await self._checkpoints.end()
        finally:
            await self._database.close()


def system_event(action: str, outcome: Outcome = Outcome.SUCCESS, **details: object) -> Event:
    """Return an event of the audit log about itself."""
    return Event(EventType.SYSTEM_EVENT, action, outcome, Sensitivity.INTERNAL, details=details)


def _explained(error: Exception) -> str:
    reason = str(error)
    if "audit_" in reason and ("does not exist" in reason or "no such table" in reason):
        return "its tables are not there: run the service's migrations, or mita-otel audit migrate"
    return "the database does not take events; they wait in the journal"
