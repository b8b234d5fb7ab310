"""Read-only connections to the console's file, one for each thread of a small pool."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from mita_otel.console.store.schema import connect

THREADS: Final = 4

Answer = TypeVar("Answer")
Query = Callable[[sqlite3.Connection], Answer]


class Reader:
    """Runs queries, each on one snapshot of the file; the writer waits for none of them."""

    def __init__(self, database: Path, threads: int = THREADS) -> None:
        """Take note of the file; it is opened by the first query.

        Args:
            database: the file, which the writer has made.
            threads: queries that run at the same time at most; the others wait.
        """
        self._database = database
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="console-reading")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def ask(self, query: Query[Answer]) -> Answer:
        """Return what a query returns; it runs in a thread of the pool.

        Raises:
            StoreError: the file cannot be opened.
            sqlite3.Error: it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.run, query)

    def run(self, query: Query[Answer]) -> Answer:
        """Return what a query returns; it runs in this thread, and raises as `ask` does."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            if connection.in_transaction:  # some errors have ended it already
                connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = connect(self._database, read_only=True)
            self._connections.append(found)
        return found

    def close(self) -> None:
        """Wait for the queries that run, and close the file; nothing may be asked afterwards."""
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
