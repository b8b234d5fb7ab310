"""How long the last requests of this process took. Source: observability report, section 3.2, performance tracking."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

RECENT: Final = 1000
SLOW: Final = 100
SLOW_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """A request that took long: method, template of its path, seconds, when it ended in seconds since the epoch."""

    method: str
    route: str
    seconds: float
    at: float
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Performance:
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
    """Remembers the last 1,000 durations and the last 100 slow requests. Safe with threads."""

    __slots__ = ("_lock", "_recent", "_slow", "_slow_count")

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._slow: deque[SlowRequest] = deque(maxlen=SLOW)
        self._slow_count = 0
        self._lock = threading.Lock()

    def ended(self, request: SlowRequest) -> None:
        """Take in a request, slow or not."""
        with self._lock:
            self._recent.append(request.seconds)
            if request.seconds > SLOW_SECONDS:
                self._slow.append(request)
                self._slow_count += 1

    def read(self) -> Performance:
        """Return the figures."""
        with self._lock:
            recent, slow = list(self._recent), self._slow_count
        if not recent:
            return Performance(0, None, None, None, slow)
        return Performance(len(recent), sum(recent) / len(recent), max(recent), min(recent), slow)

    def slow(self) -> list[SlowRequest]:
        """Return the last slow requests, newest first."""
        with self._lock:
            return list(reversed(self._slow))
