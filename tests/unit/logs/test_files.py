"""Files: which records go where, how they are rotated, and what a failing disk costs."""

import errno
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.files import DESTINATIONS, LIMIT
from mita_otel.logs.losses import Loss
from mita_otel.logs.rotation import RotatingFile


@pytest.fixture
def room(open_room: Callable[..., Any], tmp_path: Path) -> Any:
    return open_room(directory=tmp_path / "logs")


def read(room: Any, tmp_path: Path, name: str) -> list[str]:
    assert room.installed.flush()
    path = tmp_path / "logs" / name
    return path.read_text().splitlines() if path.exists() else []


def test_sizes_and_numbers_are_those_of_the_report() -> None:
    assert LIMIT == 10 * 1024 * 1024
    assert {one.name: one.backups for one in DESTINATIONS} == {
        "mita.log": 5,
        "mita.json.log": 5,
        "security.log": 10,
        "audit.log": 30,
        "performance.log": 7,
        "errors.log": 10,
    }


def test_a_record_goes_where_its_stream_and_level_say(room: Any, tmp_path: Path) -> None:
    logger = logging.getLogger("shop")
    logger.info("order paid")
    logger.info("login of somebody")
    logger.error("audit trail broken")
    logger.warning("slow query")

    found = {
        name: [json.loads(line)["message"] for line in read(room, tmp_path, name)]
        for name in ("mita.json.log", "security.log", "audit.log", "performance.log", "errors.log")
    }
    assert found == {
        "mita.json.log": ["order paid", "login of somebody", "audit trail broken", "slow query"],
        "security.log": ["login of somebody"],
        "audit.log": ["audit trail broken"],
        "performance.log": ["slow query"],
        "errors.log": ["audit trail broken"],
    }


def test_the_plain_file_is_for_a_reader_with_the_day_of_each_line(room: Any, tmp_path: Path) -> None:
    logging.getLogger("shop").info("order paid")

    [line] = read(room, tmp_path, "mita.log")
    assert line.endswith("INFO     shop  order paid")
    assert line[:10].count("-") == 2


def test_without_a_directory_there_is_no_file(open_room: Callable[..., Any], tmp_path: Path) -> None:
    room = open_room()
    logging.getLogger("shop").info("order paid")
    room.installed.flush()

    assert list(tmp_path.iterdir()) == []


def test_others_cannot_read_the_files(room: Any, tmp_path: Path) -> None:
    logging.getLogger("shop").info("order paid")
    room.installed.flush()

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "logs").iterdir()}
    assert modes["mita.log"] & 0o007 == 0
    assert (tmp_path / "logs").stat().st_mode & 0o007 == 0


def test_sensitive_data_is_masked_in_files_too(open_room: Callable[..., Any], tmp_path: Path) -> None:
    room = open_room(directory=tmp_path / "logs", redaction=None)
    logging.getLogger("shop").error("card 4111 1111 1111 1111", extra={"password": "hunter2"})
    room.installed.flush()

    written = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
    assert "order" not in written
    assert "41111111" not in written.replace(" ", "")
    assert "hunter2" not in written
    assert "[REDACTED]" in written


def test_a_folder_that_cannot_be_made_is_counted_and_told(open_room: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    room = open_room(directory=tmp_path / "logs")
    logging.getLogger("shop").info("login of somebody")

    messages = [line["message"] for line in room.lines]
    assert messages[0] == "login of somebody"
    assert messages[1].startswith("3 log records lost so far: 1 mita.log (write_failed)")
    assert "File exists" in messages[1]
    assert [record.body for record in room.exported] == messages
    assert room.installed.losses.counts()[Loss("security.log", "write_failed", "security")] == 1


def test_writing_resumes_when_the_folder_is_back(room: Any, tmp_path: Path) -> None:
    logging.getLogger("shop").info("first")
    room.installed.flush()
    (tmp_path / "logs").rename(tmp_path / "moved")
    (tmp_path / "logs").write_text("in the way")
    logging.getLogger("shop").info("into the moved file")
    room.installed.flush()
    (tmp_path / "logs").unlink()
    logging.getLogger("shop").info("third")

    assert [json.loads(line)["message"] for line in read(room, tmp_path, "mita.json.log")][-1] == "third"


def test_a_file_is_rotated_before_the_line_that_it_has_no_room_for(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "x.log", limit=10, backups=2)
    for number in range(8):
        assert file.append([b"line%d\n" % number]) == 1
    file.close()

    assert (tmp_path / "x.log").read_bytes() == b"line7\n"
    assert (tmp_path / "x.log.1").read_bytes() == b"line6\n"
    assert (tmp_path / "x.log.2").read_bytes() == b"line5\n"
    assert not (tmp_path / "x.log.3").exists()


def test_a_line_longer_than_a_file_has_one_to_itself(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "x.log", limit=10, backups=5)
    assert file.append([b"a\n", b"x" * 50 + b"\n", b"b\n"]) == 3
    file.close()

    assert [(tmp_path / name).read_bytes()[:1] for name in ("x.log.2", "x.log.1", "x.log")] == [b"a", b"x", b"b"]


def test_a_file_that_somebody_else_has_taken_away_is_opened_anew(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "x.log", limit=1000, backups=2)
    file.append([b"first\n"])
    (tmp_path / "x.log").rename(tmp_path / "x.log.gone")
    file.append([b"second\n"])
    file.close()

    assert (tmp_path / "x.log").read_bytes() == b"second\n"


def test_a_write_cut_short_by_the_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RotatingFile(tmp_path / "x.log", limit=1000, backups=2)
    file.append([b"before\n"])
    room_left, write = 14, os.write

    def full(number: int, content: Any) -> int:
        nonlocal room_left
        if not room_left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(number, bytes(content)[:room_left])
        room_left -= written
        return written

    monkeypatch.setattr(os, "write", full)
    assert file.append([b"one\n", b"two\n", b"three and a half\n"]) == 2
    with pytest.raises(OSError, match="No space left"):
        file.append([b"four\n"])
    monkeypatch.undo()
    assert file.append([b"after\n"]) == 1
    file.close()

    assert (tmp_path / "x.log").read_bytes() == b"before\none\ntwo\nafter\n"


@given(lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=40))
def test_all_lines_are_in_the_files_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("rotation")
    file = RotatingFile(folder / "x.log", limit=64, backups=100)
    for start in range(0, len(lines), 7):
        file.append(lines[start : start + 7])
    file.close()

    parts = sorted(folder.glob("x.log*"), key=lambda path: -int(path.suffix[1:]) if path.suffix != ".log" else 0)
    assert b"".join(path.read_bytes() for path in parts) == b"".join(lines)
    assert all(path.stat().st_size <= 64 for path in parts)
