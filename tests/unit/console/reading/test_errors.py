"""Groups of errors: counted by minute, described by their newest record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.reading import errors
from mita_otel.console.reading.errors import Groups, Period, groups_of
from mita_otel.console.store.minutes import MINUTE
from mita_otel.console.store.telling import Event
from tests.fixtures.console_file import AT, ConsoleFile, Line, id_of, logs

HOUR = 60 * MINUTE
NOW = AT // MINUTE


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are counted while they are not far from now: let it be then."""
    monkeypatch.setattr("time.time_ns", lambda: AT * 1000)


def error(fingerprint: str = "f1", minute: int = 0, trace: int = 0, **more: Any) -> Line:
    attributes = {"mita.error.fingerprint": fingerprint, "mita.error.category": "database", **more}
    return Line("DATABASE_5001: OperationalError", minute * MINUTE, 17, trace, attributes=attributes)


def read(file: ConsoleFile, service: str = "", length: int = HOUR) -> Groups:
    return file.reader.run(lambda connection: groups_of(connection, Period.until(AT, length), service))


@given(st.integers(0, 2**52), st.integers(0, 8 * 24 * 60))
def test_the_parts_of_a_period_cover_it_and_are_few(now: int, minutes: int) -> None:
    length = minutes * MINUTE
    period = Period.until(now, length)
    assert 1 <= period.count <= errors.PARTS
    assert period.last == now // MINUTE
    assert period.count * period.step * MINUTE >= length
    assert (period.count - 1) * period.step * MINUTE < max(length, MINUTE)


def test_there_are_no_groups_without_errors(file: ConsoleFile) -> None:
    file.send(logs("a", Line("all is well")))
    assert read(file) == Groups([], 0, NOW - 59)


def test_a_group_is_counted_and_described_by_its_newest_error(file: ConsoleFile) -> None:
    described = {"error.type": "OperationalError", "mita.error.code": "DATABASE_5001", "mita.error.severity": "high"}
    file.send(
        logs("a", error(minute=-5, trace=1), error(minute=-5, trace=2)),
        logs("a", error(minute=0, trace=3, **described)),
    )
    (group,) = read(file).groups
    assert (group.service, group.fingerprint, group.errors) == ("a", "f1", 3)
    assert (group.trend[-6], group.trend[-1], sum(group.trend), len(group.trend)) == (2, 1, 3, 60)
    assert (group.first, group.last) == (AT - 5 * MINUTE, AT)
    assert (group.text("error.type"), group.text("mita.error.severity")) == ("OperationalError", "high")
    assert group.traces == [id_of(number, 16).hex() for number in (3, 2, 1)]


def test_groups_that_occur_most_come_first_and_others_are_left_out(
    file: ConsoleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "GROUPS_LIMIT", 2)
    file.send(logs("a", error("rare"), *[error("common")] * 3), logs("b", *[error("common")] * 2))
    found = read(file)
    assert [(group.service, group.fingerprint) for group in found.groups] == [("a", "common"), ("b", "common")]
    assert found.left_out == 1
    assert [group.errors for group in read(file, "b").groups] == [2]


def test_only_the_period_counts(file: ConsoleFile) -> None:
    file.send(logs("a", error(minute=-60), error(minute=-59)))
    (group,) = read(file).groups
    assert (group.errors, group.first) == (1, AT - 59 * MINUTE)


def test_too_many_minutes_are_counted_from_the_newest(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "ROWS_LIMIT", 3)
    file.send(logs("a", *(error(minute=-minute) for minute in range(10))))
    found = read(file)
    assert (found.groups[0].errors, found.since) == (3, NOW - 2)


def test_a_group_whose_records_are_gone_still_counts(file: ConsoleFile) -> None:
    file.send(logs("a", error(trace=1)))
    file.store.connection.execute("DELETE FROM records")
    (group,) = read(file).groups
    assert (group.errors, group.last, group.text("error.type"), group.traces) == (1, NOW * MINUTE, "", [])


def test_alerts_belong_to_their_group(file: ConsoleFile) -> None:
    def alert(fingerprint: str, minute: int = 0) -> Line:
        more: dict[str, Any] = {"event.name": Event.ALERT.value}
        return error(fingerprint, minute, **more)

    file.send(logs("a", error(), alert("f1"), alert("f2"), alert("f1", -90)))
    (group,) = read(file).groups
    assert group.alerts == [AT]
