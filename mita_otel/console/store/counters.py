"""Counts what was received, refused and expired."""

import sqlite3
from collections import Counter


class Counters:
    """Collects what a transaction adds, and adds it to the table at `flush`."""

    __slots__ = ("_added", "_connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._added: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count something."""
        if count:
            self._added[name] += count

    def flush(self) -> None:
        """Add to the table."""
        self._connection.executemany(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            list(self._added.items()),
        )
        self._added.clear()
