"""Transactions of SQLAlchemy by how they end, on SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from mita_otel.libraries import sqlalchemy as instrumentation
from tests.unit.libraries.recording import Recording


@pytest.fixture
def engine(tmp_path: Path, recording: Recording) -> Iterator[Engine]:
    """An instrumented engine on a file with the table `notes`."""
    preparing = create_engine(f"sqlite:///{tmp_path / 'notes.db'}")
    with preparing.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT UNIQUE)"))
    preparing.dispose()
    instrumentation.instrument(recording.telemetry)
    engine = create_engine(
        f"sqlite:///{tmp_path / 'notes.db'}", poolclass=QueuePool, pool_size=1, max_overflow=2, pool_timeout=0.05
    )
    yield engine
    engine.dispose()


def _ended(recording: Recording) -> dict[str, float]:
    points = recording.points("mita.database.transactions")
    return {attributes["status"]: value for attributes, value in points if value}


INSERT = text("INSERT INTO notes (title) VALUES (:title)")
SELECT = text("SELECT * FROM notes")


def test_every_outcome_begins_at_zero(engine: Engine, recording: Recording) -> None:
    assert [value for _, value in recording.points("mita.database.transactions")] == [0, 0, 0]


def test_a_commit_is_counted(engine: Engine, recording: Recording) -> None:
    with engine.begin() as connection:
        connection.execute(INSERT, {"title": "a"})
    with Session(engine) as session:
        session.execute(SELECT)
        session.commit()
    assert _ended(recording) == {"committed": 2}


def test_a_rollback_is_counted_whoever_wanted_it(engine: Engine, recording: Recording) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(INSERT, [{"title": "a"}, {"title": "a"}])
    with engine.connect() as connection:
        connection.execute(SELECT)
        connection.rollback()
    with engine.connect() as connection:
        connection.execute(INSERT, {"title": "b"})
    assert _ended(recording) == {"rolled_back": 3}


def test_one_that_only_read_and_was_let_go_is_not_counted(engine: Engine, recording: Recording) -> None:
    with engine.connect() as connection:
        connection.execute(SELECT)
    with Session(engine) as session:
        session.execute(SELECT)
    assert _ended(recording) == {}


def test_one_in_which_nothing_was_executed_is_not_counted(engine: Engine, recording: Recording) -> None:
    with engine.begin():
        pass
    with engine.connect() as connection:
        connection.begin()
        connection.rollback()
    assert _ended(recording) == {}


def test_savepoints_are_parts_of_one(engine: Engine, recording: Recording) -> None:
    with engine.begin() as connection:
        connection.execute(INSERT, {"title": "a"})
        with connection.begin_nested():
            connection.execute(INSERT, {"title": "b"})
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(INSERT, {"title": "a"})
    assert _ended(recording) == {"committed": 1}


def test_one_connection_may_have_many(engine: Engine, recording: Recording) -> None:
    with engine.connect() as connection:
        for title in "abc":
            connection.execute(INSERT, {"title": title})
            connection.commit()
        connection.execute(INSERT, {"title": "d"})
        connection.rollback()
    assert _ended(recording) == {"committed": 3, "rolled_back": 1}


def test_a_refused_statement_rolls_back(engine: Engine, recording: Recording) -> None:
    with Session(engine) as session:
        session.execute(INSERT, {"title": "a"})
        with pytest.raises(IntegrityError):
            session.execute(INSERT, {"title": "a"})
    assert _ended(recording) == {"rolled_back": 1}


def test_where_each_statement_is_a_transaction_none_is_counted(engine: Engine, recording: Recording) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(INSERT, {"title": "a"})
    assert _ended(recording) == {}


def test_suppressed_instrumentation_counts_nothing(engine: Engine, recording: Recording) -> None:
    with suppress_instrumentation(), engine.begin() as connection:
        connection.execute(INSERT, {"title": "a"})
    assert _ended(recording) == {}


def test_a_commit_without_an_answer_is_unknown(engine: Engine, recording: Recording) -> None:
    @event.listens_for(engine, "commit")
    def lose(_: Any) -> None:
        raise ConnectionResetError

    with engine.connect() as connection:
        connection.execute(INSERT, {"title": "a"})
        with pytest.raises(ConnectionResetError):
            connection.commit()
    assert _ended(recording) == {"unknown": 1}


def test_connections_beyond_the_size_of_the_pool_are_counted(engine: Engine, recording: Recording) -> None:
    pool = {"db.client.connection.pool.name": "sqlite/notes.db", "db.system.name": "sqlite"}
    assert recording.points("mita.database.pool.overflow.opened") == [(pool, 0)]
    with engine.connect(), engine.connect(), engine.connect():
        assert recording.points("mita.database.pool.overflow") == [(pool, 2)]
    assert recording.points("mita.database.pool.overflow.opened") == [(pool, 2)]
    assert recording.points("mita.database.pool.overflow") == [(pool, 0)]


def test_sqlite_has_no_server_that_could_be_down(engine: Engine, recording: Recording) -> None:
    with engine.begin() as connection:
        connection.execute(SELECT)
    assert recording.points("mita.database.up") == []


def test_undone_it_counts_no_more(engine: Engine, recording: Recording) -> None:
    instrumentation.instrument.undo()
    with engine.begin() as connection:
        connection.execute(INSERT, {"title": "a"})
    assert _ended(recording) == {}
