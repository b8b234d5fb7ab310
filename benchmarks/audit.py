"""Audit events under load while their database is away and a process is killed: what was acknowledged is there, once.

`python -m benchmarks.audit` records 10,000 events from two processes, stops PostgreSQL for 20 s, kills one process by
SIGKILL meanwhile and starts it again. It ends with status 1 if an acknowledged event is missing or there twice, or if a
chain does not verify.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mita_otel.logs import audit
from mita_otel.logs.audit import schema
from mita_otel.logs.audit.database import Database, read_url
from mita_otel.logs.audit.keys import read_keys
from mita_otel.logs.audit.reading import Asked, verify_database
from mita_otel.logs.audit.tables import RECORDS
from mita_otel.settings import Settings
from mita_otel.stack import databases
from mita_otel.stack.databases import Server

KEY = "benchmark:" + "k" * 40
PROCESSES = 2
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, and what goes wrong.

    Attributes:
        events: of all processes.
        seconds: for which they are recorded, evenly.
        away: seconds for which the database is stopped, from a sixth of the time on.
    """

    events: int = 10_000
    seconds: float = 40.0
    away: float = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        acknowledged: events whose call returned.
        missing: of these, the ones that the database does not have.
        twice: the ones that it has more than once.
        unacknowledged: events that it has though their call never returned: those that the kill interrupted.
        chains: of all processes.
        findings: what verification found.
        recovered: events that another process wrote for the killed one.
        p50: median of the time that a call took, in microseconds.
        p99: its 99th percentile.
        longest: its maximum.
    """

    acknowledged: int
    missing: int
    twice: int
    unacknowledged: int
    chains: int
    findings: int
    recovered: int
    p50: float
    p99: float
    longest: float

    @property
    def is_sound(self) -> bool:
        """Whether every acknowledged event is there once, and every chain verifies."""
        return not (self.missing or self.twice or self.findings)


def run(plan: Plan, server: Server, folder: Path) -> Outcome:
    url = server.url
    asyncio.run(_migrate(url))
    each = plan.events // PROCESSES
    writers = [_start(url, folder, number * each, each, plan.seconds) for number in range(PROCESSES)]
    try:
        for number in range(PROCESSES):
            _wait_for(folder, number * each, each // 6)
        server.stop()
        before = len(_acknowledged(folder, 0))
        time.sleep(plan.away / 3)
        _wait_for(folder, 0, before + each // 20)
        writers[0].send_signal(signal.SIGKILL)
        writers[0].wait()
        done = len(_acknowledged(folder, 0))
        left = each - done
        writers[0] = _start(url, folder, done, left, plan.seconds * left / each, file="again")
        time.sleep(plan.away * 2 / 3)
        server.start()
        for writer in writers:
            writer.wait(plan.seconds + PATIENCE)
        # What the last one of them left behind is the next one's.
        _start(url, folder, plan.events, 1, 2.0, file="last").wait(PATIENCE)
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    lines = [line.split() for file in folder.glob("*.acknowledged") for line in file.read_text().splitlines()]
    return asyncio.run(_judge(url, lines))


def _start(
    url: str, folder: Path, first: int, count: int, seconds: float, *, file: str | None = None
) -> subprocess.Popen[bytes]:
    acknowledged = folder / f"{file or first}.acknowledged"
    command = [sys.executable, "-m", "benchmarks.audit", "--write", url, str(folder / "journals"), str(acknowledged)]
    return subprocess.Popen([*command, str(first), str(count), str(seconds)])


async def write(url: str, folder: str, acknowledged: str, *, first: int, count: int, seconds: float) -> None:
    """Record events evenly, and note each as its call returns."""
    settings = Settings.read({"MITA_AUDIT_SIGNING_KEY": KEY, "OTEL_SERVICE_NAME": "benchmark"})
    notes = os.open(acknowledged, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    async with audit.running(url, folder=folder, settings=settings):
        began = time.perf_counter()
        for number in range(count):
            before = time.perf_counter()
            audit.modification(
                "budget.changed", before={"limit": "100.00"}, after={"limit": f"{number}.50"},
                user="b5a1", resource=("budget", number), details={"n": first + number},
            )  # fmt: skip
            took = time.perf_counter() - before
            os.write(notes, f"{first + number} {took * 1e6:.1f}\n".encode())
            ahead = began + (number + 1) * seconds / count - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
    os.close(notes)


def _acknowledged(folder: Path, first: int) -> list[str]:
    file = folder / f"{first}.acknowledged"
    return file.read_text().splitlines() if file.exists() else []


def _wait_for(folder: Path, first: int, count: int) -> None:
    """Wait until a process has had so many events acknowledged."""
    deadline = time.monotonic() + PATIENCE
    while len(_acknowledged(folder, first)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the process of event {first} does not get on")
        time.sleep(0.05)


async def _migrate(url: str) -> None:
    database = Database(read_url(url))
    await database.run(schema.upgrade)
    await database.close()


async def _judge(url: str, lines: list[list[str]]) -> Outcome:
    acknowledged = Counter(int(number) for number, _ in lines)
    times = sorted(float(took) for _, took in lines)
    found, recovered = await _stored(url)
    verified = await verify_database(read_url(url), read_keys(KEY), Asked(), lambda _: None)
    return Outcome(
        acknowledged=len(acknowledged),
        missing=len(acknowledged.keys() - found.keys()),
        twice=sum(count > acknowledged.get(number, 1) for number, count in found.items()),
        unacknowledged=len(found.keys() - acknowledged.keys()),
        chains=len(verified.verdicts),
        findings=sum(len(verdict.findings) for verdict in verified.verdicts),
        recovered=recovered,
        p50=statistics.median(times),
        p99=times[int(len(times) * 0.99)],
        longest=times[-1],
    )


async def _stored(url: str) -> tuple[Counter[int], int]:
    database = Database(read_url(url))
    async with database.connect() as connection:
        bodies = [json.loads(row.body) for row in await connection.execute(select(RECORDS.c.body))]
    await database.close()
    numbers = Counter(int(body["details"]["n"]) for body in bodies if body["action"] == "budget.changed")
    recovered = sum(int(b["details"]["new"]) for b in bodies if b["action"] == "audit.journal_recovered")
    return numbers, recovered


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mita-otel-audit-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--write"]:
        url, journals, acknowledged, first, count, seconds = arguments[1:]
        steps = write(url, journals, acknowledged, first=int(first), count=int(count), seconds=float(seconds))
        asyncio.run(steps)
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    given: Any = parser.parse_args(arguments)
    with _folder() as folder, databases.postgres_server(folder / "postgres") as server:
        outcome = run(Plan(given.events, given.seconds, given.away), server, folder)
    print(json.dumps(asdict(outcome), indent=2))
    return 0 if outcome.is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
