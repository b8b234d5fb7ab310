"""An outbox with a disk behind its queue, for outages that are longer than the memory."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, cast

from mita_otel.export.outbox import Closed, Outbox
from mita_otel.export.pace import Pace
from mita_otel.export.sender import Sender
from mita_otel.export.spool import Spool, Stored
from mita_otel.export.statistics import Statistics
from mita_otel.export.turns import Turns
from mita_otel.export.wire import split

T = TypeVar("T")

_SAVING: Final = 1.0
"""Most seconds of a shutdown that are kept for writing: 65,536 spans are encoded in a third of one."""


class SpoolingOutbox(Outbox[T]):
    """Stores the oldest items when the queue is half full in an outage, and all that are left at the end.

    What is on disk is older than what is in memory, and is delivered before it: the next process goes on where one
    ended. A file is deleted when its items are settled, so a process that is killed meanwhile delivers some of them
    twice, none never.

    Args:
        encode: As of an outbox; takes the pieces of a payload beside the items.
        spool: Where to store; opened by the delivery thread.
    """

    def __init__(
        self,
        *,
        signal: str,
        encode: Callable[[Sequence[T]], bytes],
        sender: Sender,
        spool: Spool,
        pace: Pace | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._spool: Final = spool
        super().__init__(signal=signal, encode=encode, sender=sender, pace=pace, turns=turns)

    def _start(self) -> None:
        self._is_open = False
        self._lost_on_disk = self._adopted = self._replaying = 0
        self._disk = threading.RLock()  # the closing thread stores, too
        super()._start()

    def _stored(self) -> int:
        return self._spool.items if self._is_open else 0

    def statistics(self) -> Statistics:
        """Return the counts of this moment; what an earlier process has left counts as put and waiting."""
        counts = super().statistics()
        return counts._replace(
            entered=counts.entered + self._adopted,
            dropped_queue_full=counts.dropped_queue_full + self._lost_on_disk,
        )

    def close(self, timeout: float) -> Closed:
        """Close as an outbox does; what is left is stored in the last of the time."""
        closed = super().close(timeout)
        if self._is_open and not self._spool.items and not self._replaying:
            self._spool.leave()
        return closed

    def _settled(self) -> int:
        # What an earlier process has left did not enter here, and is settled before what did.
        return super()._settled() + self._lost_on_disk - self._adopted

    def _time_to_save(self, timeout: float) -> float:
        return min(_SAVING, timeout / 3)

    def _save(self, items: list[T]) -> int:
        saved = self._replaying  # these are on disk still
        size = self.pace.batch_size
        for start in range(0, len(items) if self._is_open else 0, size):
            if time.monotonic() >= self._deadline:
                break
            batch = items[start : start + size]
            with contextlib.suppress(Exception):  # a batch that cannot be written is left, and counted
                self._append(self._encode(batch), len(batch))
                saved += len(batch)
        return saved

    def _append(self, payload: bytes, items: int) -> None:
        with self._disk:
            lost = self._spool.append(payload, items)
        if lost:
            self._lost_on_disk += lost
            self._fault("spool full")

    # What follows runs in the delivery thread only.

    def _drain(self) -> None:
        if not self._is_open:
            self._open()
        if self._replay():
            super()._drain()

    def _open(self) -> None:
        try:
            self._spool.open()
        except OSError as error:
            self._fault(f"the spool cannot be opened: {error.strerror or error}")
        else:
            self._adopted = self._spool.items
            self._is_open = True

    def _take(self) -> list[T]:
        # An outage that began meanwhile has put older ones on disk.
        return super()._take() if self._replay() else []

    def _relieve(self) -> None:
        if not self._is_open or len(self._queue) <= self.pace.capacity // 2:
            return
        while len(self._queue) > self.pace.capacity // 4 and not self._stopped:
            if not self._store(super()._take()):
                return

    def _store(self, batch: list[T]) -> bool:
        items, payload, rest = self._payload(batch)
        self._give_back(rest)
        try:
            if items:
                self._append(payload, len(items))
        except OSError as error:
            self._give_back(items)
            self._fault(f"the spool takes nothing: {error.strerror or error}")
            return False
        with self._ledger:
            self._in_hand = ()
            if not self._stopped:
                self._in_flight -= len(items)
        return True

    def _replay(self) -> bool:
        """Deliver what is on disk, the oldest first; return False if some of it is to be tried again."""
        while self._is_open and not self._stopped and (stored := self._spool.take()) is not None:
            if not self._replay_one(stored):
                return False
            self._settle()
            self._relieve()
        return not self._stopped

    def _replay_one(self, stored: Stored) -> bool:
        try:
            items = cast("list[T]", split(stored.path.read_bytes()))
        except (OSError, ValueError) as error:
            self._lost_on_disk += stored.items
            self._spool.delete(stored)
            self._fault(f"a stored payload cannot be read: {type(error).__name__}")
            return True
        again: list[T] = []
        with self._ledger:
            self._in_hand = ()  # in hand is what is nowhere else
            self._in_flight += len(items)
            self._replaying = len(items)
        self._deliver(items, lambda part: again.__setitem__(slice(0, 0), part))
        with self._ledger:
            self._replaying = 0
            if not self._stopped:
                self._in_flight -= len(again)
        self._keep(stored, again, whole=len(again) == len(items))
        return not again

    def _keep(self, stored: Stored, again: list[T], *, whole: bool) -> None:
        with self._disk:
            if not again:
                self._spool.delete(stored)
            elif whole:
                self._spool.put_back(stored)
            else:
                with contextlib.suppress(OSError):  # then the whole stays, and some of it is delivered twice
                    self._spool.put_back(stored, self._encode(again), len(again))
