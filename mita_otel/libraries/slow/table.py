"""The slow queries of this process, by statement: a table of bounded size that no request waits for."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

RANKED: Final = 10
"""Statements that are told about."""

CAPACITY: Final = 100
"""Statements that are remembered; the one that took the least time makes room."""

WAITING: Final = 1000
"""Queries that may wait to be entered; they are entered at once unless someone else is entering or reading."""


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """What the slow executions of one statement have in common.

    Attributes:
        statement: its text without the values.
        summary: its verb and tables.
        pool: the database, as `host:port/name`.
        executions: how often it was slow.
        total_seconds: how long these executions took together.
        longest_seconds: the slowest of them.
        last_at: when the last one ended, in seconds since the epoch.
        plan: PostgreSQL's last plan for it, where plans are asked for.
    """

    statement: str
    summary: str
    pool: str
    executions: int = 0
    total_seconds: float = 0.0
    longest_seconds: float = 0.0
    last_at: float = 0.0
    plan: str | None = None


Key = tuple[str, str]
"""The database and the statement."""


class Table:
    """The statements that took the most time.

    A slow query is put into a queue, and entered by whoever finds no one else at it; so the lock is never waited for on
    a request's time.

    Args:
        clock: seconds since the epoch.
    """

    __slots__ = ("_clock", "_entries", "_lock", "_waiting")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._entries: dict[Key, SlowQuery] = {}
        self._waiting: deque[tuple[SlowQuery, float, float]] = deque(maxlen=WAITING)
        self._lock = threading.Lock()

    def add(self, query: SlowQuery, seconds: float) -> None:
        """Enter an execution of a statement; `query` names it and may have a plan."""
        self._waiting.append((query, seconds, self._clock()))
        if self._lock.acquire(blocking=False):
            try:
                self._enter()
            finally:
                self._lock.release()

    def explain(self, query: SlowQuery, plan: str) -> None:
        """Keep the plan of a statement, unless it has left the table."""
        with self._lock:
            known = self._entries.get((query.pool, query.statement))
            if known is not None:
                self._entries[query.pool, query.statement] = replace(known, plan=plan)

    def ranking(self) -> tuple[SlowQuery, ...]:
        """Return the ten statements that took the most time in all, the worst first."""
        with self._lock:
            self._enter()
            worst = sorted(self._entries.values(), key=lambda entry: -entry.total_seconds)
        return tuple(worst[:RANKED])

    def by_summary(self) -> Counter[str]:
        """Return the seconds that slow queries took in all, by verb and tables."""
        sums: Counter[str] = Counter()
        with self._lock:
            self._enter()
            for entry in self._entries.values():
                sums[entry.summary] += entry.total_seconds  # type: ignore[assignment] # a sum may be a fraction
        return sums

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._waiting.clear()
            self._entries.clear()

    def after_fork(self) -> None:
        """Begin anew in a forked child, where the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()
        self.clear()

    def _enter(self) -> None:
        while self._waiting:
            query, seconds, at = self._waiting.popleft()
            key = query.pool, query.statement
            known = self._entries.get(key)
            if known is None:
                self._make_room()
                known = query
            self._entries[key] = replace(
                known,
                executions=known.executions + 1,
                total_seconds=known.total_seconds + seconds,
                longest_seconds=max(known.longest_seconds, seconds),
                last_at=at,
            )

    def _make_room(self) -> None:
        if len(self._entries) >= CAPACITY:
            del self._entries[min(self._entries, key=lambda key: self._entries[key].total_seconds)]


TABLE: Final = Table()
"""The one of this process."""


def slow_queries() -> tuple[SlowQuery, ...]:
    """Return the ten slow statements of this process that took the most time in all, the worst first."""
    return TABLE.ranking()
