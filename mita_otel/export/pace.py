"""How much an outbox holds, how often it sends and how long it waits: the numbers and their reasons."""

from typing import Any, Final


class Pace:
    """Sizes in items, times in seconds.

    Attributes:
        capacity: Most items held, those on their way included. 200 requests/s with 6 spans each are 1,200 items/s; an
            outage of 30 s, the 5 s until the next attempt and a 10 s attempt that hangs make 54,000, and 65,536 is
            the power of two above. At about 1.5 kB an item it is 100 MB, reached only in an outage.
        batch_size: Most items in one payload.
        slice_size: Items encoded in one go before the interpreter is handed to other threads, if the encoder has not
            done so: 64 records take less than a millisecond.
        pause: What other threads have after each slice of half a millisecond: of the encoding of one second a request
            then meets one slice, where it would meet all of them in a row.
        payload_limit: Bytes at which a payload is cut short, below the 4 MiB that gRPC receivers take by default.
        schedule_delay: Longest an item waits for its batch to fill.
        attempt_timeout: Longest one attempt may take.
        backoff_initial: Upper bound of the first wait between attempts.
        backoff_limit: Upper bound of any wait between attempts.
        retry_after_limit: Longest a receiver can make us wait.

    Raises:
        ValueError: A size is below 1, a time is not above 0, or the outbox cannot hold a batch.
    """

    def __init__(
        self,
        *,
        capacity: int = 65_536,
        batch_size: int = 512,
        slice_size: int = 64,
        pause: float = 0.004,
        payload_limit: int = 3 * 1024 * 1024,
        schedule_delay: float = 1.0,
        attempt_timeout: float = 10.0,
        backoff_initial: float = 0.5,
        backoff_limit: float = 5.0,
        retry_after_limit: float = 30.0,
    ) -> None:
        self.capacity: Final = capacity
        self.batch_size: Final = batch_size
        self.slice_size: Final = slice_size
        self.pause: Final = pause
        self.payload_limit: Final = payload_limit
        self.schedule_delay: Final = schedule_delay
        self.attempt_timeout: Final = attempt_timeout
        self.backoff_initial: Final = backoff_initial
        self.backoff_limit: Final = backoff_limit
        self.retry_after_limit: Final = retry_after_limit
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"{name}={value!r} is not allowed; allowed: above 0")
        if self.batch_size > self.capacity:
            raise ValueError(f"batch_size={self.batch_size} is not allowed; allowed: at most capacity={self.capacity}")

    def replace(self, **changed: Any) -> "Pace":
        """Return the same numbers but for what is changed."""
        return Pace(**{**vars(self), **changed})

    def wait(self, failures: int, after: float | None, chance: float) -> float:
        """Return the seconds until the next attempt.

        Full jitter, so that processes that failed together do not return together; what the receiver asked for is
        waited in full, up to the limit, plus a jitter of the first wait.

        Args:
            failures: Attempts failed in a row, at least 1.
            after: Seconds the receiver asked for, or None.
            chance: Random, 0 to 1.

        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        if after is not None:
            return min(after + chance * min(self.backoff_initial, after), self.retry_after_limit)
        # 2.0 ** 64 is far above any limit and far below the largest float.
        return chance * min(self.backoff_limit, self.backoff_initial * 2.0 ** min(failures - 1, 64))
