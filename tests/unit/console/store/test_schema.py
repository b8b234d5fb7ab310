"""Files that are not ours are refused with a reason; readers see what is written and write nothing."""

import sqlite3
from pathlib import Path

import pytest

from mita_otel.console.store.schema import StoreError, connect
from mita_otel.console.store.writing import Signal
from tests.fixtures.otlp_requests import span
from tests.unit.console.store.conftest import Write


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "console.db").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="delete the file, or choose another folder"):
        connect(tmp_path / "console.db")


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "console.db") as other:
        other.executescript("CREATE TABLE spans(id); PRAGMA user_version = 99;")
    other.close()
    with pytest.raises(StoreError, match="version 99"):
        connect(tmp_path / "console.db")


def test_a_file_that_is_missing_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        connect(tmp_path / "console.db", read_only=True)


def test_a_reader_sees_what_was_committed_and_cannot_write(database: Path, write: Write) -> None:
    write(Signal.TRACES, span())
    reader = connect(database, read_only=True)
    assert reader.execute("SELECT count(*) FROM spans").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("DELETE FROM spans")
    reader.close()


def test_a_path_with_special_characters_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=ro#%41.db"
    connect(path).close()
    assert path.exists()
