"""What became of the items that were put into an outbox: counters that lose no count and take no lock."""

import itertools
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """One moment's counts of one outbox, in items unless said otherwise; all but `queued` only grow.

    Attributes:
        entered: Put while open.
        queued: Waiting or on their way.
        accepted: Acknowledged by the receiver.
        rejected: Thrown away by a receiver that accepted their neighbours (partial success).
        refused: In a payload that the receiver will never take.
        dropped_queue_full: Overwritten by newer ones, the oldest first.
        dropped_encode_error: Could not be prepared or encoded.
        dropped_shutdown: Undelivered at the deadline of `close`, or put after it.
        retries: Attempts (not items) that failed and are made again.
    """

    entered: int = 0
    queued: int = 0
    accepted: int = 0
    rejected: int = 0
    refused: int = 0
    dropped_queue_full: int = 0
    dropped_encode_error: int = 0
    dropped_shutdown: int = 0
    retries: int = 0

    @property
    def dropped(self) -> int:
        """Items that this process gave up."""
        return self.dropped_queue_full + self.dropped_encode_error + self.dropped_shutdown

    @property
    def lost(self) -> int:
        """Items that no receiver has."""
        return self.rejected + self.refused + self.dropped

    @property
    def settled(self) -> int:
        """Items whose fate is known."""
        return self.accepted + self.lost


class Tally:
    """A counter that any thread or signal handler adds to without a lock.

    `next` on an `itertools.count` is one step of the interpreter, `+=` is three. A reading takes a number too, so it
    is subtracted again; readers alone share a lock.
    """

    __slots__ = ("_count", "_lock", "_readings")

    def __init__(self) -> None:
        self._count = itertools.count()
        self._readings = 0
        self._lock = threading.RLock()  # reentrant: a signal handler may read while its own thread is reading

    def add(self) -> None:
        """Count one."""
        next(self._count)

    def value(self) -> int:
        """Return how many were counted."""
        with self._lock:
            readings, self._readings = self._readings, self._readings + 1
            return next(self._count) - readings
