"""What is told of a database, by what is known of it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from opentelemetry.metrics import CallbackOptions

from mita_otel.libraries import up
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import Link, Rows
from mita_otel.libraries.quiet import quiet
from mita_otel.libraries.up import FRESH, LATE, Watch, Way
from tests.fixtures.polling import eventually


class Database:
    """A way to a database that answers as it is told to."""

    def __init__(self, pool: str = "db:5432/bank") -> None:
        self.link = Link(pool)
        self.fault: BaseException | None = None
        self.asked: list[tuple[tuple[str, ...], bool]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    @property
    def way(self) -> Way:
        return Way(self.link, "postgresql", self._ask)

    def _ask(self, statements: Sequence[str], _: float) -> list[Rows]:
        self.asked.append((tuple(statements), quiet.get()))
        self.go_on.wait(10)
        if self.fault is not None:
            raise self.fault
        return [[(1,)]]


class Clock:
    """The clock of looks, which can be ahead of itself."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.perf_counter() + self.ahead


@contextmanager
def hanging(database: Database) -> Iterator[None]:
    database.go_on.clear()
    yield
    database.go_on.set()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time to start a thread."""
    monkeypatch.setattr(up, "PATIENCE", 5.0)


def _watch(*databases: Database, clock: Callable[[], float] = time.perf_counter) -> Callable[[], dict[str, int]]:
    ways = [database.way for database in databases]
    watch = Watch([(lambda: ways, Faults("none"))], clock)

    def read() -> dict[str, int]:
        found = watch(CallbackOptions())
        return {str((one.attributes or {})["db.client.connection.pool.name"]): int(one.value) for one in found}

    return read


def test_one_that_has_just_answered_is_up_and_not_asked() -> None:
    database = Database()
    database.link.answered_at = time.perf_counter()
    assert _watch(database)() == {"db:5432/bank": 1}
    assert database.asked == []


def test_one_that_no_one_has_used_is_asked_quietly() -> None:
    database = Database()
    assert _watch(database)() == {"db:5432/bank": 1}
    assert database.asked == [(("SELECT 1",), True)]


def test_an_answer_of_long_ago_says_nothing() -> None:
    database, clock = Database(), Clock()
    read = _watch(database, clock=clock)
    database.link.answered_at = time.perf_counter()
    assert read() == {"db:5432/bank": 1}
    database.fault = ConnectionRefusedError()
    clock.ahead = FRESH + 1
    assert read() == {"db:5432/bank": 0}


def test_one_that_is_down_is_asked_at_each_collection_until_it_is_up() -> None:
    database = Database()
    read = _watch(database)
    database.fault = ConnectionRefusedError()
    assert [read()["db:5432/bank"] for _ in range(3)] == [0, 0, 0]
    database.fault = None
    assert read() == {"db:5432/bank": 1}
    assert len(database.asked) == 4


def test_an_answer_to_the_application_overrules_an_older_verdict() -> None:
    database = Database()
    read = _watch(database)
    database.fault = ConnectionRefusedError()
    assert read() == {"db:5432/bank": 0}
    database.link.answered_at = time.perf_counter()
    assert read() == {"db:5432/bank": 1}


def test_what_cannot_be_told_is_not_told() -> None:
    database = Database()
    database.fault = RuntimeError("made for another loop")
    assert _watch(database)() == {}


def test_one_that_hangs_holds_up_no_collection_and_is_down_once_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "PATIENCE", 0.05)
    silent, well = Database("silent"), Database("well")
    well.link.answered_at = time.perf_counter()
    read = _watch(silent, well)
    with hanging(silent):
        began = time.perf_counter()
        assert read() == {"well": 1}
        assert time.perf_counter() - began < 1
        eventually(lambda: read() == {"silent": 0, "well": 1}, timeout=LATE + 5)
        assert len(silent.asked) == 1
    eventually(lambda: read() == {"silent": 1, "well": 1})


def test_two_ways_to_one_database_are_one_series() -> None:
    first, second = Database(), Database()
    second.link.answered_at = time.perf_counter()
    assert _watch(first, second)() == {"db:5432/bank": 1}
    assert first.asked == []


def test_a_way_that_has_gone_gives_way_to_the_next() -> None:
    gone, there = Database(), Database()
    gone.fault = LookupError("the engine has gone")
    assert _watch(gone, there)() == {"db:5432/bank": 1}


def test_a_source_that_raises_costs_the_others_nothing() -> None:
    database = Database()

    def fail() -> list[Way]:
        raise ZeroDivisionError

    faults = Faults("none")
    watch = Watch([(fail, faults), (lambda: [database.way], faults)])
    assert [one.value for one in watch(CallbackOptions())] == [1]
    assert faults.count == 1


def test_a_database_that_no_way_leads_to_any_more_is_forgotten() -> None:
    ways = [Database().way]
    watch = Watch([(lambda: ways, Faults("none"))])
    assert len(watch(CallbackOptions())) == 1
    ways.clear()
    assert watch(CallbackOptions()) == []
    assert watch._looks == {}


def test_without_a_way_to_ask_only_answers_are_told_of() -> None:
    clock, link = Clock(), Link("db:5432/bank")
    watch = Watch([(lambda: [Way(link, "postgresql", None)], Faults("none"))], clock)
    assert watch(CallbackOptions()) == []
    link.answered_at = time.perf_counter()
    assert [one.value for one in watch(CallbackOptions())] == [1]
    clock.ahead = FRESH + 1
    assert watch(CallbackOptions()) == []
