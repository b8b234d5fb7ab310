"""The development console: time to its first answer, and the spans it takes in on one core without losing any.

Run `python -m benchmarks.console`. The console's process is pinned to one core, the load to another. On a machine that
others use, CPU seconds a span say more than spans a second: they are of the console's process, user and system.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks.otlp_batches import SPANS, batch
from benchmarks.startup import free_port

PROGRAM = [str(Path(sys.executable).parent / "mita-otel"), "console"]
GOALS = {"start": 0.6, "spans_a_second": 30_000, "memory_mib": 150, "answer": 0.1}
"""Seconds to the first answer, spans a second on one core, memory with a million spans, seconds for an answer."""
BATCHES = 32
"""Different ones; each is sent many times with other ids and times."""
CONNECTIONS = 4
PATHS = {
    "page": "/",
    "status": "/api/console/status",
    "traces": "/api/console/traces?service=orders",
    "services": "/api/console/services",
    "jaeger traces": "/api/traces?service=orders&limit=20",
}


@dataclass(frozen=True, slots=True)
class Ingest:
    """What a load showed: times in seconds, sizes in bytes."""

    acknowledged: int
    stored: int
    wall: float
    cpu: float
    peak_memory: int
    file: int


@contextmanager
def console(folder: Path | None = None, core: int | None = None) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a console, and yield its process and the port of its page and of OTLP over HTTP."""
    port = free_port()
    command = [*PROGRAM, "--port", str(port), "--otlp-http-port", str(port), "--otlp-grpc-port", str(free_port())]
    if folder:
        command += ["--folder", str(folder)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait_for_answer(port: int) -> None:
    """Wait for the page."""
    deadline = time.perf_counter() + 30
    while time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except OSError:
            time.sleep(0.002)
    raise TimeoutError("the console did not answer within 30 s")


def start_seconds() -> tuple[float, float]:
    """Return the seconds from the start of the command to the page, and those of CPU that it took."""
    began = time.perf_counter()
    with console() as (process, port):
        wait_for_answer(port)
        wall, times = time.perf_counter() - began, psutil.Process(process.pid).cpu_times()
        return wall, times.user + times.system


class Load:
    """Sends batches over several connections until so many spans are acknowledged."""

    def __init__(self, port: int, spans: int) -> None:
        self._port = port
        self._batches = [batch(random.Random(number)) for number in range(BATCHES)]
        self._left = list(range(-(-spans // SPANS)))
        self.acknowledged = 0
        self._lock = threading.Lock()

    def run(self) -> None:
        """Send, and return when all is acknowledged."""
        threads = [threading.Thread(target=self._send) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while (body := self._next()) is not None:
            while not self._is_taken(connection, body):
                time.sleep(1)
        connection.close()

    def _next(self) -> bytes | None:
        with self._lock:
            if not self._left:
                return None
            number = self._left.pop()
            return self._batches[number % BATCHES].renewed(number)

    def _is_taken(self, connection: http.client.HTTPConnection, body: bytes) -> bool:
        connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
        response = connection.getresponse()
        response.read()
        if response.status == http.client.SERVICE_UNAVAILABLE:
            return False
        if response.status != http.client.OK:
            raise RuntimeError(f"the console answered {response.status}")
        with self._lock:
            self.acknowledged += SPANS
        return True


def ingest(folder: Path, spans: int) -> tuple[Ingest, dict[str, float]]:
    """Send spans, and return what that took, and the seconds of answers with all of them stored."""
    cores = sorted(os.sched_getaffinity(0))
    with console(folder, cores[0]) as (process, port):
        wait_for_answer(port)
        watched = psutil.Process(process.pid)
        load = Load(port, spans)
        os.sched_setaffinity(0, cores[1:] or cores)
        before, began = watched.cpu_times(), time.perf_counter()
        load.run()
        wall, after = time.perf_counter() - began, watched.cpu_times()
        os.sched_setaffinity(0, cores)
        cpu = after.user + after.system - before.user - before.system
        answers = {name: _answer_seconds(port, path) for name, path in PATHS.items()}
        peak = _peak_memory(process.pid)
    file = folder / "console.db"
    with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as connection:
        (stored,) = connection.execute("SELECT count(*) FROM spans JOIN span_bodies USING (id)").fetchone()
    connection.close()
    return Ingest(load.acknowledged, stored, wall, cpu, peak, file.stat().st_size), answers


def _answer_seconds(port: int, path: str) -> float:
    """Return the median of five answers."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as response:
            response.read()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _peak_memory(pid: int) -> int:
    """Return the most resident memory that a process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def show(starts: list[float], start_cpu: list[float], load: Ingest, answers: dict[str, float]) -> None:
    rows = [
        ("start", f"median {statistics.median(starts):.3f} s ({min(starts):.3f} to {max(starts):.3f})", "start"),
        ("", f"median {statistics.median(start_cpu):.3f} s of CPU", ""),
        ("ingest", f"{load.acknowledged / load.wall:,.0f} spans/s", "spans_a_second"),
        (
            "",
            f"{load.cpu / load.acknowledged * 1e6:.1f} us of CPU a span, so {load.acknowledged / load.cpu:,.0f} /s",
            "",
        ),
        ("", f"{load.acknowledged:,} acknowledged, {load.stored:,} stored", ""),
        ("memory", f"{load.peak_memory / 2**20:.0f} MiB at most", "memory_mib"),
        ("file", f"{load.file / load.stored:.0f} bytes a span", ""),
        *((f"answer: {name}", f"{seconds * 1000:.1f} ms", "answer") for name, seconds in answers.items()),
    ]
    for name, figure, goal in rows:
        print(f"{name:22} {figure:52} {f'(goal {GOALS[goal]:,})' if goal else ''}".rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans to send (default a million)")
    parser.add_argument("--rounds", type=int, default=5, help="starts to time (default 5)")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    options = parser.parse_args()
    starts, start_cpu = map(list, zip(*[start_seconds() for _ in range(options.rounds + 1)][1:], strict=True))
    with tempfile.TemporaryDirectory(prefix="mita-otel-benchmark-") as folder:
        load, answers = ingest(Path(folder), options.spans)
    if options.json:
        print(json.dumps({"start": starts, "start_cpu": start_cpu, "ingest": asdict(load), "answers": answers}))
    else:
        show(starts, start_cpu, load, answers)
    return 0 if load.stored == load.acknowledged else 1


if __name__ == "__main__":
    raise SystemExit(main())
