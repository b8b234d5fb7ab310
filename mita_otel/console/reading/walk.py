"""Walks over blocks of spans or log records, newest first, past those that cannot contain what is searched for."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mita_otel.console.store.blocks import BLOCK_SHIFT, block_of, may_contain

HIGHEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time that is searched; microseconds since the epoch, both ends included, None for no end."""

    start: int | None = None
    end: int | None = None

    def test(self, first: str, last: str) -> tuple[str, list[int]]:
        """Return an expression that is true for what lies between the columns `first` and `last` and in here."""
        tests, parameters = ["1"], []
        if self.start is not None:
            tests.append(f"{last} >= ?")
            parameters.append(self.start)
        if self.end is not None:
            tests.append(f"{first} <= ?")
            parameters.append(self.end)
        return " AND ".join(tests), parameters


ALWAYS: Final = Stretch()


@dataclass(frozen=True, slots=True)
class Place:
    """Ids that are to be searched: from the block's part that is older than `before`."""

    block: int
    lowest: int
    highest: int

    @classmethod
    def of(cls, block: int, after: int, before: int) -> "Place":
        """Return the ids of a block that are above `after` and below `before`."""
        lowest = block << BLOCK_SHIFT
        return cls(block, max(lowest, after + 1), min(lowest + (1 << BLOCK_SHIFT), before) - 1)


def places(
    connection: sqlite3.Connection, table: str, stretch: Stretch, *, after: int, before: int, test: str = "1"
) -> Iterator[Place]:
    """Yield the blocks of `span_blocks` or `record_blocks` that may have ids between two, in the stretch of time.

    Args:
        connection: to read from.
        table: of the blocks.
        stretch: of time.
        after: ids must be higher.
        before: ids must be lower.
        test: an expression without parameters that must be true for the row of the block.
    """
    times, parameters = stretch.test("first", "last")
    rows = connection.execute(
        f"SELECT block FROM {table} WHERE block BETWEEN ? AND ? AND {times} AND {test} ORDER BY block DESC",  # noqa: S608 - our own names
        (block_of(max(after, 0)), block_of(before - 1), *parameters),
    ).fetchall()
    for (block,) in rows:
        yield Place.of(block, after, before)


def bloom_allows(connection: sqlite3.Connection, table: str, block: int, wanted: Sequence[Sequence[str]]) -> bool:
    """Return whether a block's filter may contain one token of each group."""
    if not wanted:
        return True
    found = connection.execute(f"SELECT bloom FROM {table} WHERE block = ?", (block,)).fetchone()  # noqa: S608 - as above
    return found is not None and all(any(may_contain(found[0], (token,)) for token in group) for group in wanted)


def searched_to(connection: sqlite3.Connection, table: str, column: str, lowest: int) -> int | None:
    """Return the time of the oldest row that was searched, that of the lowest id from `lowest` on."""
    query = f"SELECT {column} FROM {table} WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608 - as above
    found = connection.execute(query, (lowest,)).fetchone()
    return None if found is None else int(found[0])
