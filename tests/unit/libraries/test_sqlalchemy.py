import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import Span
from sqlalchemy import Engine, event, text
from sqlalchemy import create_engine as create
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import QueuePool

from mita_otel.libraries import sqlalchemy as instrumentation
from mita_otel.libraries.database import Endpoint
from tests.unit.libraries.recording import Recording


class Model(DeclarativeBase):
    pass


class Note(Model):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)


COMMON = {"db.system.name": "sqlite", "db.namespace": "notes.db"}
POOL = {"db.client.connection.pool.name": "sqlite/notes.db", "db.system.name": "sqlite"}


@pytest.fixture
def engine(tmp_path: Path, recording: Recording) -> Iterator[Engine]:
    """An instrumented engine on a file with the table `notes`."""
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT UNIQUE)")
    database.close()
    instrumentation.instrument(recording.telemetry)
    engine = create(f"sqlite:///{path}", pool_size=2, max_overflow=1, pool_timeout=0.05, poolclass=QueuePool)
    yield engine
    engine.dispose()


def test_a_query_is_one_span_with_the_stable_names(engine: Engine, recording: Recording) -> None:
    with recording.request(), engine.connect() as connection:
        connection.execute(text("SELECT * FROM notes WHERE id = :id AND title = 'x'"), {"id": 1})

    assert recording.tree() == ["request > SELECT notes"]
    [span] = recording.calls
    assert span.attributes == {
        **COMMON,
        "db.operation.name": "SELECT",
        "db.collection.name": "notes",
        "db.query.summary": "SELECT notes",
        "db.query.text": "SELECT * FROM notes WHERE id = ? AND title = ?",
    }


def test_the_duration_of_a_query_is_measured_without_its_statement(engine: Engine, recording: Recording) -> None:
    with engine.connect() as connection:
        for number in range(3):
            connection.execute(text(f"SELECT {number} FROM notes"))

    assert recording.points("db.client.operation.duration") == [({**COMMON, "db.operation.name": "SELECT"}, 3)]


def test_a_query_is_current_while_it_runs_and_no_longer(engine: Engine, recording: Recording) -> None:
    seen: list[trace.Span] = []

    @event.listens_for(engine, "before_cursor_execute")
    def look(*_: Any) -> None:
        seen.append(trace.get_current_span())

    with recording.request() as request, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert trace.get_current_span() is request

    assert [span.get_span_context() for span in seen] == [span.context for span in recording.calls]


def test_a_transaction_and_its_savepoints_have_no_spans(engine: Engine, recording: Recording) -> None:
    with Session(engine) as session:
        session.add(Note(title="a"))
        with session.begin_nested():
            session.add(Note(title="b"))
        session.commit()

    assert recording.names == ["INSERT notes", "INSERT notes"]


def test_many_sets_of_arguments_are_one_batch(engine: Engine, recording: Recording) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO notes (title) VALUES (:t)"), [{"t": "a"}, {"t": "b"}, {"t": "c"}])

    [span] = recording.calls
    assert span.name == "BATCH INSERT notes"
    assert span.attributes is not None
    assert span.attributes["db.operation.name"] == "BATCH INSERT"
    assert span.attributes["db.operation.batch.size"] == 3


def test_a_bulk_insert_in_pages_is_one_batch(tmp_path: Path, engine: Engine, recording: Recording) -> None:
    paged = create(f"sqlite:///{tmp_path / 'notes.db'}", insertmanyvalues_page_size=10)
    with Session(paged) as session:
        session.add_all([Note(title=f"title {number}") for number in range(95)])
        session.commit()
    paged.dispose()

    [span] = recording.calls
    assert span.name == "BATCH INSERT notes"
    assert span.attributes is not None
    assert span.attributes["db.operation.batch.size"] == 95
    assert span.attributes["db.query.text"] == "INSERT INTO notes (title) VALUES (?) RETURNING id"


def test_an_error_ends_the_span_with_the_drivers_exception_and_without_its_message(
    engine: Engine, recording: Recording
) -> None:
    with pytest.raises(IntegrityError), Session(engine) as session:
        session.execute(text("INSERT INTO notes (title) VALUES ('secret'), ('secret')"))

    [span] = recording.calls
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes is not None
    assert span.attributes["error.type"] == "sqlite3.IntegrityError"
    assert "secret" not in span.to_json()
    assert recording.points("db.client.operation.duration") == [
        ({**COMMON, "db.operation.name": "INSERT", "error.type": "sqlite3.IntegrityError"}, 1)
    ]


def test_an_error_with_user_error_events_skipped_still_ends_the_span(engine: Engine, recording: Recording) -> None:
    with engine.connect().execution_options(skip_user_error_events=True) as connection:
        with pytest.raises(Exception, match="missing"):
            connection.execute(text("SELECT * FROM missing"))
        assert trace.get_current_span() is trace.INVALID_SPAN

    assert recording.names == ["SELECT missing"]


def test_a_listener_that_changes_the_statement_each_time_does_not_change_what_is_kept(
    engine: Engine, recording: Recording
) -> None:
    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def comment(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        return f"{statement} /* request 4711 */", parameters

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["db.query.text"] == "SELECT ?"


def test_without_sampling_there_are_durations_and_no_spans(tmp_path: Path, unsampled: Recording) -> None:
    instrumentation.instrument(unsampled.telemetry)
    engine = create("sqlite://")
    with unsampled.request(), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()

    assert unsampled.finished == ()
    assert unsampled.points("db.client.operation.duration") == [
        ({"db.system.name": "sqlite", "db.namespace": ":memory:", "db.operation.name": "SELECT"}, 1)
    ]


def test_suppressed_instrumentation_stays_silent(engine: Engine, recording: Recording) -> None:
    with suppress_instrumentation(), engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    assert recording.finished == ()
    assert recording.points("db.client.operation.duration") == []


def test_a_pool_is_read_when_metrics_are_collected(engine: Engine, recording: Recording) -> None:
    with engine.connect(), engine.connect():
        pass
    with engine.connect():
        assert recording.points("db.client.connection.count") == [
            ({**POOL, "db.client.connection.state": "idle"}, 1),
            ({**POOL, "db.client.connection.state": "used"}, 1),
        ]

    assert recording.points("db.client.connection.max") == [(POOL, 3)]
    assert recording.points("db.client.connection.idle.max") == [(POOL, 2)]


def test_two_engines_on_one_database_are_one_series(engine: Engine, recording: Recording) -> None:
    second = create(engine.url, poolclass=QueuePool, pool_size=4, max_overflow=0)

    assert recording.points("db.client.connection.max") == [(POOL, 7)]
    second.dispose()


def test_a_pool_with_a_name_of_its_own_is_not_added_to_the_others(engine: Engine, recording: Recording) -> None:
    second = create(engine.url, poolclass=QueuePool, pool_size=2, max_overflow=3, pool_logging_name="audit")

    named = {**POOL, "db.client.connection.pool.name": "sqlite/notes.db (audit)"}
    assert recording.points("db.client.connection.max") == [(POOL, 3), (named, 5)]
    second.dispose()


def test_a_pool_that_was_disposed_of_is_replaced_by_its_successor(engine: Engine, recording: Recording) -> None:
    with engine.connect():
        pass
    engine.dispose()

    assert recording.points("db.client.connection.count") == [
        ({**POOL, "db.client.connection.state": "idle"}, 0),
        ({**POOL, "db.client.connection.state": "used"}, 0),
    ]


def test_an_engine_that_is_gone_is_not_reported(tmp_path: Path, recording: Recording) -> None:
    import gc  # noqa: PLC0415 - only here

    instrumentation.instrument(recording.telemetry)
    engine = create("sqlite://", poolclass=QueuePool)
    assert recording.points("db.client.connection.max") != []

    del engine
    gc.collect()
    assert recording.points("db.client.connection.max") == []


def test_waiting_for_a_connection_is_measured(engine: Engine, recording: Recording) -> None:
    with engine.connect(), engine.connect():
        pass

    assert recording.points("db.client.connection.wait_time") == [(POOL, 2)]


def test_a_wait_without_a_connection_is_counted(engine: Engine, recording: Recording) -> None:
    with engine.connect(), engine.connect(), engine.connect(), pytest.raises(PoolTimeoutError):
        engine.connect()

    assert recording.points("db.client.connection.timeouts") == [(POOL, 1)]
    assert recording.points("db.client.connection.wait_time") == [(POOL, 3)]


def test_an_engine_with_options_of_its_own_is_the_same_pool(engine: Engine, recording: Recording) -> None:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("SELECT 1"))

    assert recording.points("db.client.connection.wait_time") == [(POOL, 1)]
    assert recording.points("db.client.connection.max") == [(POOL, 3)]


def test_an_engine_made_before_is_instrumented_too(recording: Recording) -> None:
    engine = create("sqlite://")
    instrumentation.instrument(recording.telemetry)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()

    assert recording.names == ["SELECT"]


def test_instrumenting_twice_makes_one_span(engine: Engine, recording: Recording) -> None:
    assert instrumentation.instrument(recording.telemetry) is instrumentation.instrument(recording.telemetry)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    assert recording.names == ["SELECT"]


def test_undone_it_leaves_no_trace(engine: Engine, recording: Recording) -> None:
    from sqlalchemy.engine import Connection  # noqa: PLC0415 - its attributes are what is looked at

    instrumented = instrumentation.instrument(recording.telemetry)
    instrumented.undo()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    assert recording.finished == ()
    assert not hasattr(Connection._exec_single_context, "__wrapped__")
    assert not hasattr(Engine.__init__, "__wrapped__")
    assert not hasattr(Engine.raw_connection, "__wrapped__")


def test_a_fault_of_ours_does_not_reach_the_application(
    engine: Engine, recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Endpoint, "statement", fail)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 41 + 1")).scalar() == 42

    assert recording.finished == ()
    assert [record.name for record in caplog.records] == ["mita_otel.libraries"]


def test_a_fault_at_the_end_of_a_query_does_not_reach_the_application(
    engine: Engine, recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Span, "end", fail)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 41 + 1")).scalar() == 42

    assert trace.get_current_span() is trace.INVALID_SPAN
    assert len(caplog.records) == 1


async def test_an_async_engine_is_traced_the_same(tmp_path: Path, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}")
    with recording.request():
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
            await connection.execute(text("SELECT * FROM notes"))
    await engine.dispose()

    assert recording.tree() == ["request > CREATE notes", "request > SELECT notes"]


async def test_concurrent_queries_have_their_own_parents(tmp_path: Path, recording: Recording) -> None:
    instrumentation.instrument(recording.telemetry)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}")

    async def serve(number: int) -> None:
        with recording.request(f"request {number}"):
            async with engine.connect() as connection:
                await connection.execute(text(f"PRAGMA user_version -- {number}"))
                await connection.execute(text("SELECT 1"))

    await asyncio.gather(*(serve(number) for number in range(10)))
    await engine.dispose()

    expected = [f"request {number} > {name}" for number in range(10) for name in ("PRAGMA", "SELECT")]
    assert sorted(recording.tree()) == sorted(expected)


@pytest.mark.parametrize(
    "arguments",
    [
        {"echo": False},
        {"hide_parameters": True},
        {"query_cache_size": 10},
        {"execution_options": {"isolation_level": "AUTOCOMMIT"}},
        {"logging_name": "notes"},
        {"pool_pre_ping": True, "pool_recycle": 60},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_an_engine_takes_every_argument_that_it_takes_without_us(
    recording: Recording, arguments: dict[str, Any]
) -> None:
    instrumentation.instrument(recording.telemetry)
    engine = create("sqlite://", **arguments)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
