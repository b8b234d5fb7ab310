"""What was acknowledged is in the database once, whatever the database, the disk and the process go through."""

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.audit import Outcome, Plan
from benchmarks.audit import run as run_benchmark
from mita_otel.logs import audit
from mita_otel.logs.audit.statistics import statistics
from mita_otel.stack.databases import Server
from tests.fixtures.polling import eventually, eventually_async
from tests.integration.logs.audit.conftest import Run, Stored, opened


def test_a_thousand_events_outlive_a_database_that_is_away_and_a_process_that_is_killed(
    postgres_server: Server, tmp_path: Path
) -> None:
    outcome: Outcome = run_benchmark(Plan(events=1_000, seconds=2.5, away=1), postgres_server, tmp_path)
    assert (outcome.missing, outcome.twice, outcome.findings) == (0, 0, 0)
    assert outcome.acknowledged == 1_001
    assert outcome.recovered > 0, "the killed process left something behind"


async def test_a_database_that_does_not_answer_delays_nobody_and_gets_everything_in_order(
    postgres_server: Server, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(postgres_server.url) as stored, run(postgres_server.url):
        audit.record(audit.EventType.REQUEST, "before")
        await eventually_async(lambda: stored.events("before"))
        postgres_server.kill()
        failures = statistics.failures["database"]
        for number in range(1_500):
            audit.record(audit.EventType.REQUEST, "meanwhile", details={"n": number})
        eventually(lambda: statistics.failures["database"] > failures)
        await audit.durable(audit.EventType.REQUEST, "on.disk")
        postgres_server.start()
        await stored.close()
        await eventually_async(lambda: stored.events("on.disk"))
        found = await stored.events("meanwhile")
        assert [event["details"]["n"] for event in found] == list(range(1_500))
        assert (await stored.verified()).is_sound
    assert statistics.events["spooled"] >= 500
    assert "audit logging failed: the database does not take events" in caplog.text
    assert "audit logging works again: database" in caplog.text


async def test_a_log_whose_tables_are_not_there_keeps_everything_until_they_are(
    postgres_url: str, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async with run(postgres_url):
        audit.record(audit.EventType.REQUEST, "early")
        eventually(lambda: "mita-otel audit migrate" in caplog.text)
    assert "audit events wait in the journal for the next process" in caplog.text
    async with opened(postgres_url) as stored:
        async with run(postgres_url):
            await eventually_async(lambda: stored.events("audit.journal_recovered"))
        assert len(await stored.events("early")) == 1
        assert (await stored.verified()).is_sound


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    mounted = subprocess.run(command, check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def test_a_full_disk_under_the_journal_costs_nothing_while_memory_has_room(
    stored: Stored, run: Run, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dropped = statistics.events["dropped"]
    async with run(stored.url, MITA_AUDIT_FOLDER=str(small_disk)):
        audit.record(audit.EventType.REQUEST, "room")
        await eventually_async(lambda: stored.events("room"))
        foreign = small_disk / "foreign"
        with foreign.open("wb", buffering=0) as file:
            _fill(file.fileno())
        for number in range(500):
            audit.record(audit.EventType.REQUEST, "full", details={"n": number})
        foreign.unlink()
        for number in range(500, 600):
            audit.record(audit.EventType.REQUEST, "full", details={"n": number})
    assert "make room" in caplog.text
    assert [event["details"]["n"] for event in await stored.events("full")] == list(range(600))
    assert statistics.events["dropped"] == dropped
    assert (await stored.verified()).is_sound


def _fill(file: int) -> None:
    for size in (64 * 1024, 1):
        while True:
            try:
                os.write(file, bytes(size))
            except OSError:
                break


async def test_what_had_to_be_dropped_is_itself_recorded(
    postgres_server: Server, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mita_otel.logs.audit.intake.QUEUE", 10)
    async with opened(postgres_server.url) as stored, run(postgres_server.url, MITA_AUDIT_SPOOL_LIMIT=str(2**20)):
        postgres_server.kill()
        for _ in range(3_000):
            audit.record(audit.EventType.REQUEST, "flood", details={"text": "x" * 500})
        postgres_server.start()
        await stored.close()
        (event,) = await eventually_async(lambda: stored.events("audit.events_lost"))
        kept = len(await stored.events("flood"))
        assert kept + event["details"]["events"] == 3_000
        assert (await stored.verified()).is_sound


async def test_checkpoints_leave_the_database_as_log_records(
    stored: Stored, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "mita_otel.audit"):
        async with run(stored.url):
            audit.record(audit.EventType.REQUEST, "x.y")
    records: list[Any] = [record for record in caplog.records if record.message == "audit checkpoint"]
    rows = await stored.rows("SELECT chain, seq, hash, proof FROM audit_checkpoints")
    names = [f"audit.checkpoint.{name}" for name in ("chain", "seq", "hash", "proof")]
    assert [tuple(vars(record)[name] for name in names) for record in records] == [tuple(row) for row in rows]
    assert vars(records[0])["mita.log.stream"] == "audit"


async def test_a_database_that_hangs_delays_neither_events_nor_the_end_of_the_process(
    postgres_server: Server, run: Run
) -> None:
    async with opened(postgres_server.url) as stored:
        async with run(postgres_server.url, MITA_SHUTDOWN_TIMEOUT="0.5"):
            audit.record(audit.EventType.REQUEST, "before")
            await eventually_async(lambda: stored.events("before"))
            postgres_server.pause()
            began = time.monotonic()
            for _ in range(200):
                audit.record(audit.EventType.REQUEST, "hanging")
            await audit.durable(audit.EventType.REQUEST, "on.disk")
        assert time.monotonic() - began < 5, "recording, the disk and the end together"
        postgres_server.resume()
        async with run(postgres_server.url):

            async def there() -> bool:
                return len(await stored.events("hanging")) == 200 and bool(await stored.events("on.disk"))

            assert await eventually_async(there, timeout=30)
        assert (await stored.verified()).is_sound
