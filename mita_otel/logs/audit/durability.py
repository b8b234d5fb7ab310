"""The thread that makes what is acknowledged outlive a loss of power, also while the database hangs."""

import contextlib
import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Final

from mita_otel.export.bell import Bell
from mita_otel.logs.audit.intake import Intake
from mita_otel.logs.audit.statistics import Statistics

INTERVAL: Final = 1.0
"""Seconds after which the disk has what is in the page cache."""

IMPATIENT: Final = 0.05
"""Seconds between two tries while somebody waits."""

ENDING: Final = 2.0
"""Seconds that the last one may take."""


class Durability:
    """Syncs the journal once for all who wait for it.

    Args:
        intake: whose journal.
        statistics: counts.
    """

    __slots__ = ("_arriving", "_bell", "_intake", "_is_ending", "_safe", "_statistics", "_thread", "_waiters")

    def __init__(self, intake: Intake, statistics: Statistics) -> None:
        self._intake = intake
        self._statistics = statistics
        self._bell = Bell()
        self._safe = 0
        self._arriving: SimpleQueue[tuple[int, Future[None]]] = SimpleQueue()
        self._waiters: list[tuple[int, Future[None]]] = []
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="mita-audit-sync", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def when_safe(self, seq: int) -> Future[None]:
        """Return what is done as soon as the event at a place is on disk, or in the database."""
        done: Future[None] = Future()
        self._arriving.put((seq, done))
        self._bell.ring()
        return done

    def stop(self) -> None:
        """Sync once more, and end."""
        self._is_ending = True
        self._bell.ring()
        self._thread.join(ENDING)

    def _run(self) -> None:
        while not self._is_ending:
            self._bell.wait(IMPATIENT if self._waiters else INTERVAL)
            try:
                self._make_safe()
            except Exception as error:  # noqa: BLE001 - the thread outlives every fault, and says so
                self._statistics.failed("fault", "the thread that syncs the journal goes on after a fault", error)

    def _make_safe(self) -> None:
        # Who arrives from here on waits for the next time, as the sync may have begun before their event.
        with contextlib.suppress(Empty):
            while True:
                self._waiters.append(self._arriving.get_nowait())
        if self._safe < self._intake.head.seq:
            self._safe = self._intake.sync()
        for seq, done in self._waiters:
            # One that nobody waits for any more is cancelled.
            if seq <= self._safe and done.set_running_or_notify_cancel():
                done.set_result(None)
        self._waiters = [waiter for waiter in self._waiters if waiter[0] > self._safe]
