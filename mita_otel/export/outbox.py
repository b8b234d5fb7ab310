"""A bounded queue with one delivery thread: an item is delivered or counted as lost, and its giver never waits."""

import contextlib
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from mita_otel.export.bell import Bell
from mita_otel.export.pace import Pace
from mita_otel.export.quiet import quietly
from mita_otel.export.sender import Accepted, Outcome, Refused, Retry, Sender
from mita_otel.export.statistics import Statistics, Tally
from mita_otel.export.summary import DeliverySummary
from mita_otel.export.turns import Turns

T = TypeVar("T")

_JOIN: Final = 0.05
"""Seconds to wait for a delivery thread that was told to stop: enough to leave a wait, too little to be felt."""

BACKLOG: Final = 4
"""Batches beyond which the delivery pauses no more. With pauses it has a ninth of the time: 16,000 spans of 7 us a
second, fewer where their texts are long. So no more than this waits, and is lost with a killed process, for them."""

DIVISIONS: Final = 32
"""Halvings in a row of payloads that are all refused: nine find one bad item among 512, and a receiver that refuses
everything is not asked about each item."""


class Closed(NamedTuple):
    """What `close` leaves behind.

    Attributes:
        left: Items that were neither delivered nor refused when the time was up; they are counted as dropped.
        statistics: The final counts.
    """

    left: int
    statistics: Statistics


class Outbox(Generic[T]):
    """Delivers items in batches, oldest first, again and again until the receiver takes or refuses them.

    Delivery is at least once: an attempt whose answer is lost is made again. The queue is the only copy: items being
    retried are back at its front, so that an overflow drops the oldest of all.

    Args:
        signal: Name in log lines.
        encode: Makes a payload of items; payloads of one batch are joined end to end, which protobuf reads as one
            message. An item for which it raises is dropped alone.
        sender: Makes the attempts; closed together with the outbox.
        pace: Sizes and times.
        turns: Those of `encode`, if it hands the interpreter over itself.

    Attributes:
        observe_duration: Called after each export operation with its seconds, waits included, and its error or None.
    """

    _closed: bool
    _stopped: bool
    _hurry: bool
    _deadline: float
    _bell: Bell
    _thread: threading.Thread

    def __init__(
        self,
        *,
        signal: str,
        encode: Callable[[Sequence[T]], bytes],
        sender: Sender,
        pace: Pace | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.pace: Final = pace or Pace()
        self.signal: Final = signal
        self.observe_duration: Callable[[float, str | None], None] | None = None
        self._encode = encode
        self._sender = sender
        self._turns: Final = turns or Turns()
        self._turns.pause = self._pause
        self._start()
        os.register_at_fork(after_in_child=_weakly(self._after_fork_in_child))

    def put(self, item: T) -> None:
        """Take an item; constant time, no lock, no I/O. When full, the oldest item makes room."""
        if self._closed:
            self._late.add()
            return
        self._entered.add()
        queue = self._queue
        queue.append(item)
        waiting = len(queue)
        if waiting + self._in_flight > self.pace.capacity:
            with contextlib.suppress(IndexError):  # the delivery thread took them meanwhile
                queue.popleft()
                self._overwritten.add()
        if waiting % self.pace.batch_size == 0:  # not at each item of a backlog; a miss costs the schedule delay
            self._bell.ring()

    def discard(self) -> None:
        """Count an item that could not even be put."""
        self._unput.add()

    def flush(self, timeout: float) -> bool:
        """Deliver what is here; True only if everything put before the call was acknowledged within `timeout` seconds.

        A wait between attempts is cut short once, one that the receiver asked for is not.
        """
        before = self.statistics()
        self._hurry = True
        settled = self._wait_until(self._entered.value(), time.monotonic() + timeout)
        return settled and self.statistics().lost == before.lost

    def close(self, timeout: float) -> Closed:
        """Take nothing more, deliver what is here for at most `timeout` seconds, then stop.

        No thread is started, so it works in exit handlers. Of several calls the earliest deadline holds for all.
        """
        self._deadline = min(self._deadline, time.monotonic() + timeout)
        self._closed = self._hurry = True
        self._wait_until(self._entered.value(), self._deadline - self._time_to_save(timeout))
        self._abandon()
        self._bell.ring()
        with contextlib.suppress(Exception):  # a sender's fault must not keep the process from ending
            self._sender.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN)
        return Closed(self._left, self.statistics())

    def statistics(self) -> Statistics:
        """Return the counts of this moment."""
        return Statistics(
            entered=self._entered.value(),
            queued=len(self._queue) + self._in_flight + self._stored(),
            accepted=self._accepted,
            rejected=self._rejected,
            refused=self._refused,
            dropped_queue_full=self._overwritten.value(),
            dropped_encode_error=self._unfit.value() + self._unput.value(),
            dropped_shutdown=self._left + self._late.value(),
            retries=self._retries,
        )

    def _start(self) -> None:
        self._queue: deque[T] = deque()
        self._entered, self._overwritten, self._unfit = Tally(), Tally(), Tally()
        self._late, self._unput = Tally(), Tally()
        self._accepted = self._rejected = self._refused = self._retries = self._left = 0
        self._in_flight = 0
        self._in_hand: Sequence[T] = ()
        self._failures = 0
        self._operation_started: float | None = None
        self._overwritten_before = 0
        # Held while items change hands between queue, delivery and counters, never during I/O, never by `put`.
        # Reentrant: a signal handler may close while its own thread is closing.
        self._ledger = threading.RLock()
        self._closed = self._stopped = self._hurry = False
        self._deadline = float("inf")
        self._bell = Bell()
        self._waiters: list[Bell] = []
        self._summary = DeliverySummary(self.signal, self._sender.destination)
        self._thread = threading.Thread(target=self._run, name=f"mita-export-{self.signal}", daemon=True)
        with contextlib.suppress(RuntimeError):  # at interpreter exit no thread starts; `close` counts what is left
            self._thread.start()

    def _after_fork_in_child(self) -> None:
        """Begin anew: the items are the parent's to deliver, and its thread was not copied."""
        if not self._closed:
            self._start()

    def _settled(self) -> int:
        """Items that left the queue for good; what never entered it does not count."""
        return self._accepted + self._rejected + self._refused + self._overwritten.value() + self._unfit.value()

    def _wait_until(self, entered: int, deadline: float) -> bool:
        """Wait until as many items as had entered are settled; False when time is up or no one is delivering."""
        bell = Bell()
        self._waiters.append(bell)
        try:
            self._bell.ring()
            while self._settled() < entered and not self._stopped:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._thread.is_alive():
                    return False
                bell.wait(remaining)
        finally:
            self._waiters.remove(bell)
        return self._settled() >= entered

    def _abandon(self) -> None:
        """Stop, and count what is left; an answer that comes after this moment counts no more."""
        with self._ledger:
            if self._stopped:
                return
            self._stopped = True
            left = self._left = len(self._queue) + self._in_flight
            kept = [*self._in_hand, *self._queue][-left:] if left else []
            self._queue.clear()
            self._in_flight = 0
        left = self._left = max(0, left - self._save(kept))
        for waiter in tuple(self._waiters):
            waiter.ring()
        if left:
            with contextlib.suppress(Exception):  # a log handler of the application may raise
                self._summary.abandoned(left, self.statistics())

    # What a memory that is longer than the queue does; an outbox as such has none.

    def _stored(self) -> int:
        """Return the number of items in it."""
        return 0

    def _relieve(self) -> None:
        """Give it what there will be no room for; called when an attempt has failed."""

    def _time_to_save(self, timeout: float) -> float:  # noqa: ARG002 - for those who need some
        """Return how many of the last seconds are kept for `_save`."""
        return 0.0

    def _save(self, items: list[T]) -> int:  # noqa: ARG002 - as above
        """Give it what is left at the end; return how many items it has taken."""
        return 0

    # What follows runs in the delivery thread only.

    def _run(self) -> None:
        with quietly():
            while not self._stopped:
                self._bell.wait(self.pace.schedule_delay)
                self._hurry = False
                self._drain()
                self._report_overflow()

    def _drain(self) -> None:
        """Deliver as many items as are here now; those that come meanwhile wait for their batch to fill."""
        goal = self._settled() + len(self._queue)
        while self._settled() < goal and not self._stopped and (batch := self._take()):
            try:
                self._deliver(batch)
            except Exception as error:  # noqa: BLE001 - the guard of this room: the thread must go on
                self._drop_unfit(self._in_flight)
                self._fault(f"delivery failed: {type(error).__name__}")
            self._settle()

    def _take(self) -> list[T]:
        batch: list[T] = []
        with self._ledger, contextlib.suppress(IndexError):  # an overflow took the last one
            while len(batch) < self.pace.batch_size:
                batch.append(self._queue.popleft())
                self._in_flight += 1
        self._in_hand = batch
        return batch

    def _settle(self) -> None:
        self._in_hand = ()
        for waiter in tuple(self._waiters):
            waiter.ring()

    def _deliver(self, batch: list[T], again: Callable[[list[T]], None] | None = None) -> None:
        """Settle the batch, or hand what is to be tried again to `again`, the last part first; it goes to the queue."""
        give_back = again or self._give_back
        parts = [batch]
        divisions = DIVISIONS
        while parts:
            items, payload, rest = self._payload(parts.pop())
            give_back(rest)
            if not items:
                continue
            match self._attempt(payload):
                case Retry(reason, after):
                    for part in parts:  # the last of them is the oldest
                        give_back(part)
                    give_back(items)
                    if not self._stopped:
                        self._wait_for_retry(reason, after)
                    return
                case Refused(divisible=True) if len(items) > 1 and divisions:
                    divisions -= 1
                    middle = len(items) // 2
                    parts += [items[middle:], items[:middle]]
                case Refused(reason):
                    self._record(refused=len(items))
                    self._finish(reason)
                    self._fault(f"refused: {reason}")
                case Accepted(rejected_items, message):
                    divisions = DIVISIONS
                    rejected = min(rejected_items, len(items))
                    self._record(accepted=len(items) - rejected, rejected=rejected)
                    self._finish(None)
                    self._report_accepted(rejected, message)

    def _finish(self, error: str | None) -> None:
        """End an export operation, which began with the first attempt."""
        started, self._operation_started, self._failures = self._operation_started, None, 0
        if started is not None and self.observe_duration is not None:
            self.observe_duration(time.monotonic() - started, error)

    def _attempt(self, payload: bytes) -> Outcome:
        now = time.monotonic()
        if self._operation_started is None:
            self._operation_started = now
        timeout = min(self.pace.attempt_timeout, self._deadline - now)
        if timeout <= 0:
            return Retry("shutdown")
        try:
            return self._sender.send(payload, timeout)
        except Exception as error:  # noqa: BLE001 - the thread must outlive a fault in a sender; the items are kept
            return Retry(f"sender failed: {type(error).__name__}")

    def _record(self, *, accepted: int = 0, rejected: int = 0, refused: int = 0) -> None:
        with self._ledger:
            if self._stopped:  # `close` has counted these items as left
                return
            self._accepted += accepted
            self._rejected += rejected
            self._refused += refused
            self._in_flight -= accepted + rejected + refused

    def _report_accepted(self, rejected: int, message: str) -> None:
        if rejected:
            self._fault(f"partial success: {message or 'no reason given'}")
        elif message:
            self._fault(f"accepted with a warning: {message}")
        else:
            with contextlib.suppress(Exception):  # a log handler of the application may raise
                self._summary.delivered(self.statistics(), time.time())

    def _give_back(self, items: list[T]) -> None:
        """Put items back at the front, in their order."""
        with self._ledger:
            if items and not self._stopped:
                self._in_flight -= len(items)
                self._queue.extendleft(reversed(items))

    def _drop_unfit(self, items: int) -> None:
        with self._ledger:
            if not self._stopped:
                self._in_flight -= items
                for _ in range(items):
                    self._unfit.add()

    def _wait_for_retry(self, reason: str, after: float | None) -> None:
        self._retries += 1
        self._failures += 1
        self._fault(reason, attempt=True)
        self._relieve()
        asked = None if self._closed else after  # a shutdown has no time for the receiver's wishes
        until = time.monotonic() + self.pace.wait(self._failures, asked, random.random())  # noqa: S311 - jitter
        while not self._stopped and (remaining := until - time.monotonic()) > 0:
            if self._hurry and (asked is None or self._closed):
                self._hurry, self._failures = False, 0
                return
            self._bell.wait(remaining)

    def _payload(self, batch: list[T]) -> tuple[list[T], bytes, list[T]]:
        """Return the items that could be encoded, their payload, and the items for which there was no room in it."""
        items: list[T] = []
        parts: list[bytes] = []
        rest: list[T] = []
        size = 0
        self._turns.begin()
        for position in range(0, len(batch), self.pace.slice_size):
            for fit, encoded in self._encode_fit(batch[position : position + self.pace.slice_size]):
                size += len(encoded)
                if items and size > self.pace.payload_limit:
                    rest += fit
                else:
                    items += fit
                    parts.append(encoded)
            if size > self.pace.payload_limit:
                rest += batch[position + self.pace.slice_size :]
                break
            self._turns.offer()
        return items, b"".join(parts), rest

    def _pause(self) -> float:
        """Return the seconds for which requests have the interpreter, now that they may need it."""
        # Whoever waits for the delivery is not made to wait for requests, and what is put is not to outrun it.
        is_urgent = self._closed or self._waiters or len(self._queue) > BACKLOG * self.pace.batch_size
        return 0.0 if is_urgent else self.pace.pause

    def _encode_fit(self, items: list[T]) -> list[tuple[list[T], bytes]]:
        """Encode together if that is possible and not too large, else by halves.

        So an item that cannot be encoded is dropped alone, and one that is large goes out alone.
        """
        try:
            encoded = self._encode(items)
        except Exception as error:  # noqa: BLE001 - whatever one item does, its neighbours go out
            if len(items) == 1:
                self._drop_unfit(1)
                self._fault(f"an item cannot be encoded: {type(error).__name__}")
                return []
        else:
            if len(items) == 1 or len(encoded) <= self.pace.payload_limit:
                return [(items, encoded)]
        middle = len(items) // 2
        return self._encode_fit(items[:middle]) + self._encode_fit(items[middle:])

    def _report_overflow(self) -> None:
        overwritten = self._overwritten.value()
        if overwritten > self._overwritten_before:
            self._overwritten_before = overwritten
            self._fault("queue full")

    def _fault(self, reason: str, *, attempt: bool = False) -> None:
        with contextlib.suppress(Exception):  # a log handler of the application may raise
            self._summary.fault(reason, self.statistics(), time.time(), attempt=attempt)


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Call a method as long as its object lives: fork handlers cannot be unregistered."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    return call
