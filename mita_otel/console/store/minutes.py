"""Calls, errors and durations by minute and operation: what rates and quantiles are read from."""

import sqlite3
from math import log2
from typing import Final

from mita_otel.console.store.durations import PER_DOUBLING, pack, unpack

MINUTE: Final = 60_000_000

_Tally = list[int]


class Minutes:
    """Collects what a transaction adds, and adds it to the table at `flush`."""

    __slots__ = ("_connection", "_tallies")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tallies: dict[tuple[int, int], dict[int, _Tally]] = {}

    def add(self, minute: int, operation: int, duration: int, error: int) -> None:
        """Count one call: `duration` in microseconds, `error` 0 or 1."""
        buckets = self._tallies.get((minute, operation))
        if buckets is None:
            buckets = self._tallies[minute, operation] = {}
        bucket = int(log2(duration) * PER_DOUBLING) if duration > 1 else 0  # as `bucket_of`, without the call
        tally = buckets.get(bucket)
        if tally is None:
            buckets[bucket] = [1, error]
        else:
            tally[0] += 1
            tally[1] += error

    def flush(self) -> None:
        """Add to the table."""
        for key, buckets in self._tallies.items():
            self._merge(key, buckets)
        self._tallies.clear()

    def _merge(self, key: tuple[int, int], buckets: dict[int, _Tally]) -> None:
        find = "SELECT buckets FROM minutes WHERE minute = ? AND operation = ?"
        stored = self._connection.execute(find, key).fetchone()
        counts = unpack(stored[0]) if stored else {}
        for bucket, (calls, _) in buckets.items():
            counts[bucket] = counts.get(bucket, 0) + calls
        calls = sum(tally[0] for tally in buckets.values())
        errors = sum(tally[1] for tally in buckets.values())
        self._connection.execute(
            "INSERT INTO minutes VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,"
            " errors = errors + excluded.errors, buckets = excluded.buckets",
            (*key, calls, errors, pack(counts)),
        )
