"""Where events are acknowledged: each gets its place in the chain and is in the journal before the call returns."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from mita_otel.logs.audit.chain import Head, link
from mita_otel.logs.audit.journal import Journal, JournalFullError, decode, encode
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.model import Event, Record
from mita_otel.logs.audit.statistics import Statistics

QUEUE: Final = 1_000
"""Events that wait for the database, or for a disk that takes nothing, before that is called an overflow.
Source: observability report, section 1.2."""


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Intake:
    """The acknowledging side of one chain; any thread may use `accept`, the rest is the writer's.

    Args:
        chain: its name.
        key: seals every record.
        journal: takes every record; None where no folder could be made, so that memory is all there is.
        statistics: counts.
        now: the clock.

    Attributes:
        head: the last record that is acknowledged.
        written: the last one that the database has.
        is_away: whether the database did not take the last batch.
    """

    __slots__ = (
        *("_behind_since", "_journal", "_key", "_lock", "_lost", "_memory", "_now", "_statistics"),
        *("head", "is_away", "written"),
    )

    def __init__(
        self, chain: str, key: Key, journal: Journal | None, statistics: Statistics, now: Callable[[], datetime]
    ) -> None:
        self._lock = threading.Lock()
        self._key = key
        self._journal = journal
        self._memory: deque[bytes] = deque()
        self._statistics = statistics
        self._now = now
        self._behind_since = 0.0
        self.head = self.written = Head(chain)
        self._lost = 0
        self.is_away = False

    @property
    def waiting(self) -> int:
        """Events that the database does not have."""
        return self.head.seq - self.written.seq

    def behind(self) -> float:
        """Return for how many seconds the database has not had everything."""
        return time.monotonic() - self._behind_since if self.waiting else 0.0

    def size(self) -> int:
        """Return the bytes of the journal."""
        return self._journal.total if self._journal is not None else 0

    def accept(self, event: Event) -> int:
        """Give an event its place and keep it; return the place, or 0 if there is no room for it anywhere.

        It does one `write` of a few hundred bytes into the page cache, and waits for nothing else.
        """
        with self._lock:
            seq, trouble = self._keep(event)
            if not seq:
                self._lost += 1
                self._statistics.count("dropped")
        if trouble is not None:
            # Outside of the lock: a log handler of the application may do anything.
            self._statistics.failed("journal", _explained(trouble), trouble)
        if not seq:
            sentence = f"an event was dropped: {QUEUE} wait in memory and the journal takes none"
            self._statistics.failed("queue_full", sentence)
        return seq

    def admit_losses(self, admitting: Callable[[int], Event]) -> None:
        """Record how many events were dropped, as soon as there is room for that."""
        with self._lock:
            if self._lost and self._keep(admitting(self._lost))[0]:
                self._lost = 0

    def _keep(self, event: Event) -> tuple[int, OSError | None]:
        """Put an event into the journal, else into memory; return its place, if it has one, and what went wrong."""
        record, head = link(self.head, event, self._now(), self._key)
        line = encode(record)
        trouble: OSError | None = None
        # In order: what is in memory goes into the journal first, which the writer sees to.
        if self._journal is not None and not self._memory:
            try:
                self._journal.append(line)
            except OSError as error:
                trouble = error
            else:
                self._advance(head)
                return head.seq, None
        if len(self._memory) >= QUEUE:
            return 0, trouble
        self._memory.append(line)
        self._advance(head)
        return head.seq, trouble

    def _advance(self, head: Head) -> None:
        if not self.waiting:
            self._behind_since = time.monotonic()
        self._statistics.count("queued")
        if self.is_away or self.waiting >= QUEUE:
            self._statistics.count("spooled")
        self.head = head

    def sync(self) -> int:
        """Make what is in the journal outlive a loss of power; return the place up to which everything is safe."""
        safe = self.written.seq
        if self._journal is None:
            return safe
        with self._lock:
            reached = self.head.seq - len(self._memory)
        try:
            self._journal.sync()
        except OSError as error:
            self._statistics.failed("journal", _explained(error), error)
            return safe
        return max(safe, reached)

    def refill(self) -> None:
        """Move what waits in memory into the journal, as far as that takes it again."""
        if self._journal is None or not self._memory:
            return
        with self._lock:
            try:
                while self._memory:
                    self._journal.append(self._memory[0])
                    self._memory.popleft()
            except OSError:
                return
        self._statistics.recovered("journal")
        self._statistics.recovered("queue_full")

    def next(self, most: int) -> list[bytes]:
        """Return the lines to be written next, oldest first; the same ones until `done`."""
        if self._journal is not None and (lines := self._journal.read(most)):
            return lines
        with self._lock:
            return [self._memory[position] for position in range(min(most, len(self._memory)))]

    def done(self, lines: Sequence[bytes], last: Record | None) -> None:
        """Forget lines: the database has them."""
        if last is not None:
            self.written = Head(last.chain, last.seq, last.hash)
        if self._journal is not None and not self._journal.is_done:
            self._journal.forget(lines)
            with self._lock:
                self._journal.trim()
            return
        with self._lock:
            for _ in lines:
                self._memory.popleft()

    def close(self) -> None:
        """Let go of the journal; what the database does not have waits there for the next process."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def abandon(self) -> None:
        """Let go in a forked child: the records are the parent's."""
        if self._journal is not None:
            self._journal.abandon()
            self._journal = None


def records_of(lines: Sequence[bytes]) -> tuple[list[Record], int]:
    """Return the records of lines, and how many of these cannot be read."""
    records = [record for line in lines if (record := decode(line)) is not None]
    return records, len(lines) - len(records)


def _explained(error: OSError) -> str:
    if isinstance(error, JournalFullError):
        return f"{error}: bring the database back, or raise MITA_AUDIT_SPOOL_LIMIT"
    return "the journal's disk takes nothing: make room, or set MITA_AUDIT_FOLDER to another one"
