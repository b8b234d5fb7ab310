"""Queries run on snapshots that disturb nobody."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from mita_otel.console.reading import Reader
from mita_otel.console.store.schema import StoreError
from tests.fixtures.console_file import ConsoleFile, Sent, traces


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])


def test_a_query_sees_one_moment_and_the_writer_does_not_wait_for_it(file: ConsoleFile) -> None:
    file.send(traces("a", Sent()))

    def look_twice(connection: sqlite3.Connection) -> tuple[int, int]:
        before = count(connection)
        file.send(traces("a", Sent(id=2)))
        return before, count(connection)

    assert file.reader.run(look_twice) == (1, 1)
    assert file.reader.run(count) == 2


def test_a_query_cannot_write(file: ConsoleFile) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        file.reader.run(lambda connection: connection.execute("DELETE FROM spans"))


def test_a_query_that_fails_leaves_nothing_behind(file: ConsoleFile) -> None:
    with pytest.raises(ZeroDivisionError):
        file.reader.run(lambda _: 1 // 0)
    assert file.reader.run(count) == 0


async def test_queries_run_beside_one_another_in_threads_of_the_reader(file: ConsoleFile) -> None:
    both_are_in = threading.Barrier(2, timeout=10)

    def meet(_: sqlite3.Connection) -> str:
        both_are_in.wait()
        return threading.current_thread().name

    names = await asyncio.gather(file.reader.ask(meet), file.reader.ask(meet))
    assert len(set(names)) == 2
    assert all(name.startswith("console-reading") for name in names)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"console\.db"):
        Reader(tmp_path / "console.db").run(count)
