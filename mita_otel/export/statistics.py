"""What became of the items that were put into an outbox."""

from typing import NamedTuple

from mita_otel.tally import Tally

__all__ = ["Statistics", "Tally"]


class Statistics(NamedTuple):
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
