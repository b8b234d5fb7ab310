"""Events are acknowledged in one order, and kept somewhere or counted as dropped."""

import errno
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mita_otel.logs.audit.intake import QUEUE, Intake, records_of
from mita_otel.logs.audit.journal import Journal
from mita_otel.logs.audit.model import Event
from mita_otel.logs.audit.statistics import Statistics
from mita_otel.logs.audit.verification import verify
from tests.unit.logs.audit.chains import BEGAN, KEY, event, stored


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        return self.now


class Disk:
    """Fills up, and has room again, as a test wants it."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        append = journal.append.__func__  # type: ignore[attr-defined]  # the method itself

        def appending(one: Journal, line: bytes) -> None:
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            append(one, line)

        monkeypatch.setattr(Journal, "append", appending)


@pytest.fixture
def counts() -> Statistics:
    return Statistics()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "c", 100_000_000)


@pytest.fixture
def disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(journal, monkeypatch)


@pytest.fixture
def intake(journal: Journal, counts: Statistics, clock: Clock) -> Iterator[Intake]:
    made = Intake("c", KEY, journal, counts, clock)
    yield made
    made.close()


def written(intake: Intake) -> list[int]:
    """Take everything as the writer does, and return the places."""
    places = []
    while lines := intake.next(7):
        records, damaged = records_of(lines)
        assert damaged == 0
        assert verify("c", stored(records), [], {"k1": KEY}, begin=records[0].seq).findings == []
        places += [record.seq for record in records]
        intake.done(lines, records[-1])
    return places


def test_an_event_is_in_the_journal_when_it_is_acknowledged(intake: Intake, tmp_path: Path) -> None:
    assert intake.accept(event()) == 1
    assert b'"budget.changed' in (tmp_path / "c" / "00000001.jsonl").read_bytes().replace(b"\\", b"")


def test_what_is_accepted_is_written_in_its_order(intake: Intake, counts: Statistics) -> None:
    assert [intake.accept(event()) for _ in range(50)] == list(range(1, 51))
    assert written(intake) == list(range(1, 51))
    assert (intake.waiting, counts.events["queued"], counts.events["dropped"]) == (0, 50, 0)


def test_more_than_a_thousand_that_wait_are_counted_as_spooled(intake: Intake, counts: Statistics) -> None:
    for _ in range(QUEUE + 5):
        intake.accept(event())
    assert counts.events["spooled"] == 5
    assert len(written(intake)) == QUEUE + 5


def test_a_full_disk_leaves_a_thousand_events_in_memory_and_counts_the_rest(
    intake: Intake, disk: Disk, counts: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    intake.accept(event())
    disk.is_full = True
    results = [intake.accept(event()) for _ in range(QUEUE + 3)]
    assert results[-4:] == [QUEUE + 1, 0, 0, 0]
    assert (counts.events["dropped"], counts.failures["queue_full"]) == (3, 3)
    assert "make room" in caplog.text
    assert caplog.text.count("an event was dropped") == 1, "once a minute"
    assert written(intake) == list(range(1, QUEUE + 2)), "the chain has no gap"


def test_what_was_dropped_is_recorded_once_there_is_room(intake: Intake, disk: Disk, counts: Statistics) -> None:
    admitted: list[int] = []

    def admitting(lost: int) -> Event:
        admitted.append(lost)
        return event("audit.events_lost", events=lost)

    disk.is_full = True
    for _ in range(QUEUE + 3):
        intake.accept(event())
    intake.admit_losses(admitting)
    assert (admitted, counts.events["dropped"]) == ([3], 3), "there is no room for it yet, and it is not lost itself"
    disk.is_full = False
    intake.refill()
    intake.admit_losses(admitting)
    intake.admit_losses(admitting)
    assert admitted == [3, 3]
    assert len(written(intake)) == QUEUE + 1


def test_what_was_in_memory_is_in_the_journal_before_what_comes_later(
    intake: Intake, disk: Disk, tmp_path: Path
) -> None:
    intake.accept(event())
    disk.is_full = True
    intake.accept(event())
    disk.is_full = False
    intake.accept(event())
    intake.refill()
    intake.accept(event())
    assert (tmp_path / "c" / "00000001.jsonl").read_bytes().count(b"\n") == 4
    assert written(intake) == [1, 2, 3, 4]


def test_only_what_is_on_disk_counts_as_safe(intake: Intake, disk: Disk) -> None:
    intake.accept(event())
    disk.is_full = True
    intake.accept(event())
    assert intake.sync() == 1
    disk.is_full = False
    intake.refill()
    assert intake.sync() == 2


def test_without_a_journal_memory_is_all_there_is(counts: Statistics, clock: Clock) -> None:
    intake = Intake("c", KEY, None, counts, clock)
    assert [intake.accept(event()) for _ in range(QUEUE + 1)][-2:] == [QUEUE, 0]
    assert len(written(intake)) == QUEUE


def test_a_clock_that_goes_back_costs_nothing(intake: Intake, clock: Clock) -> None:
    for step in (0, 5, -3600, 1):
        clock.now += timedelta(seconds=step)
        intake.accept(event())
    assert written(intake) == [1, 2, 3, 4]


def test_threads_share_one_chain_without_gaps(intake: Intake) -> None:
    threads = [threading.Thread(target=lambda: [intake.accept(event()) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert written(intake) == list(range(1, 801))
