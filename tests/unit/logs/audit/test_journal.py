"""A journal keeps every line in its order until it is forgotten, and says when it cannot."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mita_otel.logs.audit import journal as room
from mita_otel.logs.audit.journal import (
    DAMAGED,
    Journal,
    JournalFullError,
    Orphan,
    decode,
    encode,
    is_held,
    orphans,
    segments,
)
from tests.unit.logs.audit.chains import chain

RECORDS, _ = chain(200)
LINES = [encode(record) for record in RECORDS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "service" / "20261124"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    made = Journal(folder, 1024 * 1024)
    yield made
    made.close()


def test_a_record_reads_back_as_what_it_was() -> None:
    assert [decode(line) for line in LINES] == RECORDS


@pytest.mark.parametrize("line", [b"", b"{", b"{}\n", b"[1]\n", b'{"chain": 1}\n', LINES[0][:50]])
def test_a_damaged_line_is_no_record(line: bytes) -> None:
    assert decode(line) is None


def test_lines_come_back_in_their_order_until_they_are_forgotten(journal: Journal) -> None:
    for line in LINES[:5]:
        journal.append(line)
    assert journal.read(3) == LINES[:3] == journal.read(3)
    journal.forget(LINES[:3])
    assert journal.read(10) == LINES[3:5]
    assert not journal.is_done
    journal.forget(LINES[3:5])
    assert (journal.read(10), journal.is_done) == ([], True)


def test_what_is_forgotten_makes_room(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SEGMENT", 2_000)
    for line in LINES[:20]:
        journal.append(line)
    assert len(segments(journal.folder)) > 2
    for line in LINES[:20]:
        assert journal.read(1) == [line]
        journal.forget([line])
    journal.read(1)
    assert len(segments(journal.folder)) == 1
    journal.trim()
    assert journal.total == 0
    journal.append(LINES[20])
    assert journal.read(9) == [LINES[20]]


def test_trimming_keeps_what_is_still_needed(journal: Journal) -> None:
    journal.append(LINES[0])
    journal.trim()
    assert journal.read(9) == [LINES[0]]


def test_a_journal_that_is_full_takes_nothing_and_goes_on_when_there_is_room(folder: Path) -> None:
    journal = Journal(folder, 2 * len(LINES[0]) + 10)
    journal.append(LINES[0])
    journal.append(LINES[1])
    with pytest.raises(JournalFullError, match="limit"):
        journal.append(LINES[2])
    journal.forget(LINES[:2])
    journal.trim()
    journal.append(LINES[2])
    assert journal.read(9) == [LINES[2]]
    journal.close()


def test_a_line_that_the_disk_took_half_of_is_taken_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(LINES[0])
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:10]))
    with pytest.raises(OSError, match="the disk took 10 bytes"):
        journal.append(LINES[1])
    monkeypatch.undo()
    journal.append(LINES[2])
    assert journal.read(9) == [LINES[0], LINES[2]]


def test_a_journal_that_the_database_has_all_of_leaves_nothing(folder: Path) -> None:
    Journal(folder, 1_000_000).close()
    assert not folder.exists()


def test_a_journal_in_use_is_nobody_elses(journal: Journal) -> None:
    journal.append(LINES[0])
    assert is_held(journal.folder)
    with pytest.raises(BlockingIOError):
        Orphan(journal.folder)
    assert list(orphans(journal.folder.parent)) == []


def test_what_a_process_left_behind_is_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SEGMENT", 5_000)
    journal = Journal(folder, 10_000_000)
    for line in LINES:
        journal.append(line)
    journal.close()
    (orphan,) = orphans(folder.parent)
    assert [record for batch in orphan.batches(7) for record in batch] == RECORDS
    orphan.finish()
    assert not folder.exists()


def test_a_line_that_was_cut_off_was_never_acknowledged(folder: Path) -> None:
    journal = Journal(folder, 1_000_000)
    journal.append(LINES[0])
    journal.close()
    with segments(folder)[0].open("ab") as file:
        file.write(LINES[1][:40])
    (orphan,) = orphans(folder.parent)
    assert [len(batch) for batch in orphan.batches(10)] == [1]
    assert orphan.damaged == 0
    orphan.release()


def test_a_journal_with_damaged_lines_is_kept_for_people(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(folder, 1_000_000)
    for line in LINES[:3]:
        journal.append(line)
    journal.close()
    file = segments(folder)[0]
    file.write_bytes(LINES[0] + b"garbage\n" + LINES[2])
    (orphan,) = orphans(folder.parent)
    assert [record.seq for batch in orphan.batches(10) for record in batch] == [1, 3]
    orphan.finish()
    assert [path.suffix for path in folder.parent.iterdir()] == [DAMAGED]
    assert list(orphans(folder.parent)) == []
    assert "1 lines of an audit journal cannot be read" in caplog.text
