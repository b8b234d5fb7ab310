"""A disk that fills up: the right answer, nothing lost that was acknowledged, and on it goes when there is room."""

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.otlp_requests import span, traces
from tests.integration.console.conftest import Console, StartConsole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(console: Console, batches: int) -> list[int]:
    """Send batches of a thousand spans of 2 kB each, and return the statuses."""
    return [
        console.post("traces", traces(*(span(text=random.randbytes(1000).hex()) for _ in range(1000)))).status_code
        for _ in range(batches)
    ]


def test_a_full_disk_makes_room_by_the_oldest(start_console: StartConsole, small_disk: Path) -> None:
    console = start_console(folder=small_disk / "data")
    statuses = fill(console, 40)
    assert set(statuses) == {200, 503}
    assert statuses[-5:].count(200) >= 2, "what was old has made room"
    assert console.process.running
    counters = dict(console.rows("SELECT name, value FROM counters"))
    assert counters["spans.received"] == 1000 * statuses.count(200)
    assert console.count() == counters["spans.received"] - counters["spans.expired"]
    assert console.rows("PRAGMA integrity_check") == ["ok"]
    assert "full" in console.process.stderr


def test_a_disk_that_others_fill_refuses_and_recovers(start_console: StartConsole, small_disk: Path) -> None:
    console = start_console(folder=small_disk / "data")
    assert fill(console, 3) == [200] * 3
    foreign = small_disk / "foreign"
    with foreign.open("wb") as file:
        while True:
            try:
                os.write(file.fileno(), bytes(64 * 1024))
            except OSError:
                break
    statuses = fill(console, 8)
    assert 503 in statuses
    foreign.unlink()
    assert fill(console, 2)[-1] == 200
    counters = dict(console.rows("SELECT name, value FROM counters"))
    assert console.count() == counters["spans.received"] - counters.get("spans.expired", 0)


def test_a_file_that_may_not_grow_refuses_and_stays_up(start_console: StartConsole) -> None:
    console = start_console()
    assert fill(console, 2) == [200, 200]
    subprocess.run(["prlimit", "--pid", str(console.process.pid), "--fsize=8000000:unlimited"], check=True)
    statuses = fill(console, 12)
    assert 503 in statuses
    assert console.process.running
    subprocess.run(["prlimit", "--pid", str(console.process.pid), "--fsize=unlimited:unlimited"], check=True)
    assert fill(console, 2)[-1] == 200
    counters = dict(console.rows("SELECT name, value FROM counters"))
    assert console.count() == counters["spans.received"] - counters.get("spans.expired", 0)
