"""Deletes the oldest of what is stored, in steps of some milliseconds, when it is too much or too old.

Blocks go whole, by the time at which they were written: what times the items carry may be absurd. Data points and the
rates go by their own times.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mita_otel.console.store.blocks import ids_of
from mita_otel.console.store.minutes import MINUTE
from mita_otel.console.store.reserve import Reserve
from mita_otel.console.store.writing import Store

_FOREVER: Final = 2**62
_SERIES_A_STEP: Final = 500
_PAUSE: Final = 30_000_000
"""Microseconds between two looks for what is too old."""
_SHARE: Final = 20
"""One part in so many of the time that is covered goes at once when there is too much."""
_MANY_NAMES: Final = 5_000
"""Resources, scopes or operations of which it is worth to look for unused ones."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept: `size` in bytes of the file's used pages, `age` in microseconds since arrival."""

    size: int
    age: int


class Retention:
    """Keeps a store within its limits, on the thread that writes and between its transactions."""

    def __init__(self, store: Store, limits: Limits, reserve: Reserve) -> None:
        self._store = store
        self._reserve = reserve
        self._limits = limits
        self._work: Iterator[None] = iter(())
        self._looked = 0
        self._deleted = 0
        self._futile_until = 0

    def step(self, budget: float = 0.02) -> bool:
        """Work for about so many seconds; return whether there is more to do at once.

        Raises:
            sqlite3.Error: the store must be rolled back.
        """
        deadline = time.monotonic() + budget
        while time.monotonic() < deadline:
            if next(self._work, self) is self and not self._plan():
                return False
        return True

    def _plan(self) -> bool:
        now = time.time_ns() // 1000
        if used_bytes(self._store.connection) > self._limits.size and now >= self._futile_until:
            self._work = self._shrink(self._horizon(now))
        elif now - self._looked > _PAUSE:
            self._looked = now
            self._work = self._expire(now - self._limits.age)
        else:
            return False
        return True

    def _shrink(self, horizon: int) -> Iterator[None]:
        """Expire, and rest for a while if there was nothing that could go."""
        before = self._deleted
        yield from self._expire(horizon)
        if self._deleted == before:
            self._futile_until = time.time_ns() // 1000 + _PAUSE

    def _horizon(self, now: int) -> int:
        oldest = self._oldest()
        if oldest is None or oldest >= now:
            return _FOREVER  # what is left carries times to come
        return oldest + max((now - oldest) // _SHARE, 1)

    def _oldest(self) -> int | None:
        """Return the time of the oldest that is stored."""
        (found,) = self._store.connection.execute(
            "SELECT min(at) FROM ("
            " SELECT * FROM (SELECT written AS at FROM span_blocks ORDER BY block LIMIT 1) UNION ALL"
            " SELECT * FROM (SELECT written FROM record_blocks ORDER BY block LIMIT 1) UNION ALL"
            " SELECT (SELECT min(time) FROM points WHERE series = series.id) FROM series)"
        ).fetchone()
        return None if found is None else int(found)

    def make_room(self) -> None:
        """Delete the oldest, to go on with a full disk, and use the write-ahead log from its beginning again.

        Raises:
            sqlite3.Error: there is no room even for that.
        """
        self._work = iter(())
        self._reserve.release()
        try:
            self._checkpoint()
            for _ in self._expire(self._horizon(time.time_ns() // 1000)):
                self._checkpoint()
        finally:
            self._reserve.hold()

    def _checkpoint(self) -> None:
        self._store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _expire(self, horizon: int) -> Iterator[None]:
        """Delete what is older than a time, a step a value."""
        yield from self._expire_blocks("span", horizon)
        yield from self._expire_blocks("record", horizon)
        yield from self._expire_points(horizon)
        self._in_transaction(lambda: self._expire_rates(horizon))
        yield
        self._in_transaction(self._expire_names)
        yield

    def _in_transaction(self, work: Callable[[], None]) -> None:
        self._store.begin()
        work()
        self._store.commit()

    def _expire_blocks(self, kind: str, horizon: int) -> Iterator[None]:
        find = f"SELECT block FROM {kind}_blocks WHERE written < ? ORDER BY block LIMIT 1"  # noqa: S608 - our own names
        while found := self._store.connection.execute(find, (horizon,)).fetchone():
            self._in_transaction(lambda: self._expire_block(kind, found[0]))
            yield

    def _expire_block(self, kind: str, block: int) -> None:
        run = self._store.connection.execute
        if block == run(f"SELECT max(block) FROM {kind}_blocks").fetchone()[0]:  # noqa: S608 - our own names
            self._store.leave_blocks()
        ids = ids_of(block)
        bounds = (ids.start, ids.stop - 1)
        if kind == "span":
            run(
                "DELETE FROM span_block_operations WHERE block = ?"
                " AND operation IN (SELECT DISTINCT operation FROM spans WHERE id BETWEEN ? AND ?)",
                (block, *bounds),
            )
        else:
            run("DELETE FROM told WHERE record BETWEEN ? AND ?", bounds)
        deleted = run(f"DELETE FROM {kind}s WHERE id BETWEEN ? AND ?", bounds).rowcount  # noqa: S608 - our own names
        run(f"DELETE FROM {kind}_bodies WHERE id BETWEEN ? AND ?", bounds)  # noqa: S608 - as above
        run(f"DELETE FROM {kind}_blocks WHERE block = ?", (block,))  # noqa: S608 - as above
        self._store.counters.add(f"{kind}s.expired", deleted)
        self._deleted += deleted

    def _expire_points(self, horizon: int) -> Iterator[None]:
        find = "SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?"
        last = 0
        while found := self._store.connection.execute(find, (last, _SERIES_A_STEP)).fetchall():
            last = found[-1][0]
            self._in_transaction(lambda: self._expire_series([row[0] for row in found], horizon))
            yield

    def _expire_series(self, series: list[int], horizon: int) -> None:
        bounds = [(number, horizon) for number in series]
        run = self._store.connection.executemany
        points = run("DELETE FROM points WHERE series = ? AND time < ?", bounds).rowcount
        exemplars = run("DELETE FROM exemplars WHERE series = ? AND time < ?", bounds).rowcount
        empty = "DELETE FROM series WHERE id = ? AND NOT EXISTS (SELECT 1 FROM points WHERE series = series.id)"
        if run(empty, [(number,) for number in series]).rowcount:
            self._store.forget_names()
        self._deleted += points
        self._store.counters.add("points.expired", points)
        self._store.counters.add("exemplars.expired", exemplars)

    def _expire_rates(self, horizon: int) -> None:
        minute = (min(horizon // MINUTE, 2**31),)
        self._store.connection.execute("DELETE FROM minutes WHERE minute < ?", minute)
        self._store.connection.execute("DELETE FROM calls WHERE minute < ?", minute)
        self._store.connection.execute("DELETE FROM error_minutes WHERE minute < ?", minute)

    def _expire_names(self) -> None:
        connection = self._store.connection
        for table, users in _USERS.items():
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own names
            if count > _MANY_NAMES:
                used = " UNION ".join(f"SELECT {column} FROM {user}" for user, column in users)  # noqa: S608 - as above
                connection.execute(f"DELETE FROM {table} WHERE id NOT IN ({used})")  # noqa: S608 - as above
                self._store.forget_names()


_USERS: Final = {
    "resources": (("spans", "resource"), ("records", "resource"), ("series", "resource")),
    "scopes": (("spans", "scope"), ("records", "scope")),
    "operations": (("span_block_operations", "operation"), ("minutes", "operation")),
    "instruments": (("series", "instrument"),),
}


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of the file's pages that hold something, in bytes."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
