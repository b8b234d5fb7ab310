"""How long the last requests of this process took. Source: observability report, section 3.2, performance tracking."""

import json
from collections import deque
from typing import Final, NamedTuple

RECENT: Final = 1000
SLOW: Final = 100


class SlowRequest(NamedTuple):
    """A request that took long: method, template of its path, seconds, when it ended in seconds since the epoch."""

    method: str
    route: str
    seconds: float
    at: float
    trace_id: str = ""


class Performance(NamedTuple):
    """Seconds that the last requests took, 1,000 at most; None where there was none.

    Attributes:
        requests: how many there are.
        slow_requests_count: how many were slow since the process started.
    """

    requests: int
    avg_response_time: float | None
    max_response_time: float | None
    min_response_time: float | None
    slow_requests_count: int


class PerformanceTracker:
    """Remembers the last 1,000 durations and the last 100 slow requests.

    Attributes:
        ended: takes the seconds of a request; the deque's own method, for every request pays for it: 0.05 us.
    """

    __slots__ = ("_recent", "_slow", "_slow_count", "ended")

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._slow: deque[SlowRequest] = deque(maxlen=SLOW)
        self._slow_count = 0
        self.ended = self._recent.append

    def was_slow(self, request: SlowRequest) -> None:
        """Remember a request that was slow; it is among those that `ended`, too."""
        self._slow.append(request)
        self._slow_count += 1

    def read(self) -> Performance:
        """Return the figures."""
        recent = list(self._recent)
        if not recent:
            return Performance(0, None, None, None, self._slow_count)
        return Performance(len(recent), sum(recent) / len(recent), max(recent), min(recent), self._slow_count)

    def slow(self) -> list[SlowRequest]:
        """Return the last slow requests, newest first."""
        return list(self._slow)[::-1]

    def report(self) -> bytes:
        """Return both as JSON."""
        return json.dumps({**self.read()._asdict(), "slow": [request._asdict() for request in self.slow()]}).encode()


PERFORMANCE: Final = PerformanceTracker()
"""That of this process."""
