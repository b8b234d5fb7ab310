"""What the service talks to, on the core that is not its own: PostgreSQL, Redis, a neighbour, the sink."""

import asyncio
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import redis

from benchmarks.overhead.environments import ROOT
from benchmarks.overhead.faults import SinkError
from benchmarks.overhead.received import Telemetry, bodies, read
from mita_otel.stack.child import launch
from mita_otel.stack.databases import postgres_server, redis_server
from mita_otel.stack.ports import free_port

_ROWS: Final = 100
_START: Final = 20.0
"""Seconds until a neighbour must answer."""
_QUIET: Final = 1.5
"""Seconds without a span or a log record after which nothing more comes: exporters send at least each second."""
_DELIVERY: Final = 60.0
"""Seconds after which a delivery that does not end is a fault."""
_POLL: Final = 0.1


@dataclass(frozen=True, slots=True)
class Sink:
    """The running sink."""

    port: int

    @property
    def url(self) -> str:
        """Where telemetry is sent."""
        return f"http://127.0.0.1:{self.port}"

    def settle(self) -> None:
        """Wait until no span and no log record has come for a while.

        Raises:
            SinkError: they do not end within a minute.
        """
        began = time.monotonic()
        while min(time.monotonic() - began, self._idle()) < _QUIET:
            if time.monotonic() - began > _DELIVERY:
                raise SinkError(f"telemetry still comes {_DELIVERY:.0f} s after the last request")
            time.sleep(_POLL)

    def take(self) -> Telemetry:
        """Return what came since the last call."""
        return read(bodies(self._get("/taken")))

    def _idle(self) -> float:
        return float(json.loads(self._get("/idle"))["seconds"])

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything the service needs, and where its telemetry goes."""

    sink: Sink
    variables: dict[str, str]


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Run them all while the block runs, on the core of this process.

    Raises:
        mita_otel.stack.model.StackError: there is no PostgreSQL or Redis, or it does not start.
    """
    # Where PostgreSQL's own user reaches it.
    folder = Path(tempfile.mkdtemp(prefix="mita-otel-overhead-"))
    try:
        folder.chmod(0o755)
        with (
            postgres_server(folder / "postgres") as postgres,
            redis_server(folder / "redis") as cache,
            _neighbour("prices", folder) as prices,
            _neighbour("sink", folder) as sink,
        ):
            asyncio.run(_fill(postgres.url))
            with redis.Redis.from_url(cache.url) as client:
                client.set("stock:7", "42")
            yield Surroundings(
                sink=Sink(sink),
                variables={
                    "DATABASE_URL": postgres.url.replace("postgresql://", "postgresql+asyncpg://"),
                    "REDIS_URL": cache.url,
                    "PRICES_URL": f"http://127.0.0.1:{prices}",
                },
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL)")
    await connection.executemany(
        "INSERT INTO items VALUES ($1, $2)", [(number, f"item {number}") for number in range(_ROWS)]
    )
    await connection.execute("ANALYZE items")
    await connection.close()


@contextmanager
def _neighbour(name: str, folder: Path) -> Iterator[int]:
    port = free_port()
    process = launch(
        (sys.executable, "-m", f"benchmarks.overhead.neighbours.{name}", str(port)),
        folder=ROOT,
        log=folder / f"{name}.log",
        environment={"PATH": os.defpath},
        orphaned=signal.SIGKILL,
    )
    try:
        _wait_until_it_answers(port, process, folder / f"{name}.log")
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.stem} does not answer: {log.read_text(errors='replace')[-1000:]}")
        time.sleep(_POLL / 10)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/idle")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
