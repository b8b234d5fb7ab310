"""Changes are read newest first, of one service or of all."""

import pytest

from mita_otel.console.reading import told
from mita_otel.console.reading.told import Told, changes, services_telling, told_by
from mita_otel.console.store.telling import Event
from tests.fixtures.console_file import AT, ConsoleFile, Line, id_of, logs


def change(time: int = 0, event: Event = Event.HEALTH, **more: str) -> Line:
    return Line("it changed", time, trace=3, attributes={"event.name": event.value, **more})


def read(file: ConsoleFile, service: str = "") -> list[Told]:
    return file.reader.run(lambda connection: changes(connection, Event.HEALTH, service))


def test_changes_come_with_what_they_say(file: ConsoleFile) -> None:
    file.send(logs("a", Line(), change(5, status="degraded"), change(event=Event.BREAKER)))
    (found,) = read(file)
    assert (found.time, found.service, found.trace) == (AT + 5, "a", id_of(3, 16))
    assert (found.text("status"), found.text("nothing"), found.texts("status")) == ("degraded", "", [])


def test_texts_are_those_of_a_list() -> None:
    assert Told(1, 2, "a", b"", {"causes": ["x", 1, "y"]}).texts("causes") == ["x", "y"]


def test_what_is_huge_is_cut_or_left_out(file: ConsoleFile) -> None:
    assert len(Told(1, 2, "a", b"", {"k": "x" * 5_000}).text("k")) == 1_000
    assert len(Told(1, 2, "a", b"", {"k": ["x"] * 50}).texts("k")) == 10
    file.send(logs("a", change(more="x" * 70_000), change()))
    assert [each.id for each in read(file)] == [2]


def test_the_newest_come_first_of_each_service(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "CHANGES_LIMIT", 2)
    file.send(logs("flapping", *(change(time) for time in range(5))), logs("calm", change(1)), logs("silent", Line()))
    assert file.reader.run(lambda connection: services_telling(connection, Event.HEALTH)) == ["calm", "flapping"]
    assert [(each.service, each.time - AT) for each in read(file)] == [("flapping", 4), ("flapping", 3), ("calm", 1)]
    assert [each.service for each in read(file, "calm")] == ["calm"]
    assert read(file, "nobody") == []


def test_records_that_are_no_longer_kept_are_left_out(file: ConsoleFile) -> None:
    file.send(logs("a", Line()))
    assert list(file.reader.run(lambda connection: told_by(connection, [1, 99]))) == [1]
