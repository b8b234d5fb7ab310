"""What a closed breaker remembers of its calls, as values: each call makes the next one."""

from typing import NamedTuple, TypeAlias

from mita_otel.breakers.policy import Policy
from mita_otel.breakers.states import Reason


class Run(NamedTuple):
    """Failures in a row."""

    failures: int = 0

    def after(self, now: float, *, failed: bool, slow: bool) -> "Run":  # noqa: ARG002 - as the other windows
        """Return what is remembered once a call has ended."""
        if failed:
            return Run(self.failures + 1)
        return _NO_FAILURES if self.failures else self

    def reason_to_open(self, policy: Policy) -> Reason | None:
        """Return why the breaker must open, if it must."""
        return Reason.FAILURES if self.failures >= policy.failure_threshold else None


_NO_FAILURES = Run()


class Calls(NamedTuple):
    """The last so many calls: a bit for each, the newest the lowest.

    Attributes:
        size: calls that it holds.
        mask: a bit for each of them.
    """

    size: int
    mask: int
    calls: int = 0
    failed: int = 0
    slow: int = 0

    def after(self, now: float, *, failed: bool, slow: bool) -> "Calls":  # noqa: ARG002 - as the other windows
        """Return what is remembered once a call has ended."""
        size, mask, calls, failures, slows = self
        if calls < size:
            calls += 1
        return Calls(size, mask, calls, (failures << 1 | failed) & mask, (slows << 1 | slow) & mask)

    def reason_to_open(self, policy: Policy) -> Reason | None:
        """Return why the breaker must open, if it must."""
        if self.calls < policy.minimum_calls:
            return None
        return _by_share(policy, self.calls, self.failed.bit_count(), self.slow.bit_count())


class Bucket(NamedTuple):
    """The calls of one second of the clock."""

    second: int
    calls: int = 0
    failed: int = 0
    slow: int = 0


class Seconds(NamedTuple):
    """The calls of the last so many seconds, in buckets of one second.

    Attributes:
        size: seconds, the one that is going on included.
        past: buckets of the seconds before, oldest first; none without calls.
        before: the sum of them.
        current: the second that is going on.
    """

    size: int
    past: tuple[Bucket, ...] = ()
    before: Bucket = Bucket(0)
    current: Bucket = Bucket(0)

    def after(self, now: float, *, failed: bool, slow: bool) -> "Seconds":
        """Return what is remembered once a call has ended; a clock that goes back stands still."""
        second, calls, failures, slows = self.current
        if int(now) > second:
            return self._moved(int(now)).after(now, failed=failed, slow=slow)
        current = Bucket(second, calls + 1, failures + failed, slows + slow)
        return Seconds(self.size, self.past, self.before, current)

    def _moved(self, second: int) -> "Seconds":
        kept = (*self.past, self.current) if self.current.calls else self.past
        past = tuple(bucket for bucket in kept if bucket.second > second - self.size)
        before = Bucket(
            0,
            sum(bucket.calls for bucket in past),
            sum(bucket.failed for bucket in past),
            sum(bucket.slow for bucket in past),
        )
        return Seconds(self.size, past, before, Bucket(second))

    def reason_to_open(self, policy: Policy) -> Reason | None:
        """Return why the breaker must open, if it must; asked right after a call."""
        calls = self.before.calls + self.current.calls
        if calls < policy.minimum_calls:
            return None
        return _by_share(policy, calls, self.before.failed + self.current.failed, self.before.slow + self.current.slow)


AnyWindow: TypeAlias = Run | Calls | Seconds


def empty_window(policy: Policy) -> AnyWindow:
    """Return what a breaker remembers that has just closed."""
    if policy.mode == "consecutive":
        return _NO_FAILURES
    size = policy.window_size
    return Calls(size, (1 << size) - 1) if policy.window == "count" else Seconds(size)


def _by_share(policy: Policy, calls: int, failed: int, slow: int) -> Reason | None:
    if failed >= policy.failure_rate * calls:
        return Reason.FAILURE_RATE
    if policy.slow_seconds is not None and slow >= policy.slow_rate * calls:
        return Reason.SLOW_RATE
    return None
