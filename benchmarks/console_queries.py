"""How long the console's answers take with a million spans stored: asked over HTTP, of a console of its own.

Run `python -m benchmarks.console_queries`. The data is filled in once, into `data/benchmarks/console`.
"""

import argparse
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psutil

from benchmarks.console_data import RARE, RARE_WORD, Filled, filled

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "data" / "benchmarks" / "console"
GOAL = 100.0
"""Milliseconds of any answer."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
STARTING = """
import sys
from pathlib import Path
from typing import NamedTuple
from mita_otel.console import Options, serve
serve(Options(port=int(sys.argv[1]), otlp_http_port=int(sys.argv[1]), otlp_grpc_port=None,
              folder=Path(sys.argv[2]), max_size=16 * 1024**3, max_age=30 * 86_400))
"""


def queries(about: Filled) -> dict[str, str]:
    """Return what is asked, by name."""
    end = about.end // 1000
    hour = {"start": end - 3_600_000_000, "end": end}
    quarter = math.ceil((time.time_ns() - about.end) / 60e9) + 15
    hours = f"{quarter + 46}m"
    jaeger = {**hour, "limit": 20}
    charted = {**hour, "step": 30_000_000}
    durations = "console/metrics/http.server.request.duration"

    def ask(path: str, **query: object) -> str:
        return f"/api/{path}?{urlencode(query)}"

    def tags(**pairs: str) -> str:
        return json.dumps({name.replace("__", "."): value for name, value in pairs.items()})

    return {
        "status": ask("console/status"),
        "services (Jaeger)": ask("services"),
        "operations (Jaeger)": ask("services/orders/operations"),
        "traces of a service (Jaeger)": ask("traces", service="orders", **jaeger),
        "traces of an operation (Jaeger)": ask("traces", service="payments", operation="POST /charge", **jaeger),
        "traces by a rare attribute (Jaeger)": ask("traces", service="orders", tags=tags(order__id=RARE), **jaeger),
        "traces by an absent attribute (Jaeger)": ask("traces", service="orders", tags=tags(order__id="0"), **jaeger),
        "traces, 2 s at least (Jaeger)": ask("traces", service="gateway", minDuration="2s", **jaeger),
        "traces with errors (Jaeger)": ask("traces", service="orders", tags=tags(error="true"), **jaeger),
        "one trace (Jaeger)": ask(f"traces/{about.trace}"),
        "newest traces": ask("console/traces"),
        "traces of a service": ask("console/traces", service="orders", **hour),
        "traces of an operation": ask("console/traces", service="payments", operation="POST /charge"),
        "traces by a common attribute": ask("console/traces", tags=tags(http__response__status_code="500")),
        "traces by a rare attribute": ask("console/traces", tags=tags(order__id=RARE)),
        "traces by an absent attribute": ask("console/traces", tags=tags(order__id="nowhere")),
        "traces, 500 ms at least": ask("console/traces", minDuration="500ms"),
        "traces with errors": ask("console/traces", errors="true"),
        "one trace": ask(f"console/traces/{about.trace}"),
        "newest log records": ask("console/logs"),
        "log records by a rare word": ask("console/logs", text=RARE_WORD),
        "log records by an absent word": ask("console/logs", text="nowhere"),
        "log records by two common words": ask("console/logs", text="paid customer"),
        "log records of a trace": ask("console/logs", trace_id=about.trace),
        "log records from errors up": ask("console/logs", severity=17),
        "instruments": ask("console/metrics"),
        "a histogram over an hour": ask(durations, **charted),
        "the same by route": ask(durations, group_by="http.route", **charted),
        "an exponential histogram": ask("console/metrics/http.server.response.body.size", **charted),
        "a counter over an hour": ask("console/metrics/orders.placed", group_by="http.route", **charted),
        "services, 15 min": ask("console/services", window=f"{quarter}m"),
        "a service, 15 min": ask("console/services/orders", window=f"{quarter}m"),
        "services, all of the hour": ask("console/services", window=hours),
        "map, 15 min": ask("console/map", window=f"{quarter}m"),
        "resilience, 15 min": ask("console/resilience", window=f"{quarter}m"),
        "resilience of a service, all of the hour": ask("console/resilience", service="orders", window=hours),
        "health, all of the hour": ask("console/health", window=hours),
        "errors, all of the hour": ask("console/errors", window=hours),
        "objectives": ask("console/slos"),
        "objectives of a service": ask("console/slos", service="orders"),
        "an objective's burn-down and ledger": ask("console/slos/objective-5", service="orders"),
    }  # fmt: skip


class Taken(NamedTuple):
    """Milliseconds of an answer: by the clock, and of the processor."""

    clock: float
    processor: float


@contextmanager
def console(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the address of a console that serves the folder, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", STARTING, str(port), str(folder)], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1000):
            try:
                fetch(url, "/api/console/status")
                break
            except OSError:
                time.sleep(0.01)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def fetch(url: str, path: str) -> bytes:
    with DIRECT.open(url + path, timeout=60) as answer:
        return bytes(answer.read())


FOUND = {
    "traces by a rare attribute (Jaeger)": ("data", 1),
    "traces by an absent attribute (Jaeger)": ("data", 0),
    "traces of a service (Jaeger)": ("data", 20),
    "traces by a rare attribute": ("traces", 1),
    "traces by an absent attribute": ("traces", 0),
    "newest traces": ("traces", 200),
    "newest log records": ("records", 200),
    "log records by an absent word": ("records", 0),
    "instruments": ("instruments", 20),
    "services, 15 min": ("services", 5),
    "resilience, 15 min": ("breakers", 40),
    "health, all of the hour": ("services", 5),
    "objectives": ("objectives", 155),
    "an objective's burn-down and ledger": ("ledger", 3),
}
"""How much must be found: an answer is only worth its time if it is right."""


def check(name: str, answer: bytes) -> None:
    """Raise ValueError if an answer has not what it must have."""
    key, expected = FOUND.get(name, ("", 0))
    if key and len(json.loads(answer)[key]) != expected:
        raise ValueError(f"{name}: not {expected} {key} but {answer[:500]!r}")


def worked(process: psutil.Process) -> float:
    """Return the milliseconds for which all threads of a process have run; 0 where the system does not tell."""
    stats = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e6


def measure(url: str, process: psutil.Process, asked: dict[str, str], rounds: int) -> dict[str, list[Taken]]:
    """Return what each answer took, a value a round; the order changes from round to round."""
    taken: dict[str, list[Taken]] = {name: [] for name in asked}
    for name, path in asked.items():
        check(name, fetch(url, path))
    for number in range(rounds):
        items = list(asked.items())
        for name, path in items[number % len(items) :] + items[: number % len(items)]:
            began, before = time.perf_counter(), worked(process)
            fetch(url, path)
            taken[name].append(Taken((time.perf_counter() - began) * 1000, worked(process) - before))
    return taken


def memory_while(process: psutil.Process, stop: threading.Event, highest: list[float]) -> None:
    while not stop.wait(0.05):
        highest[0] = max(highest[0], process.memory_info().rss / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="rounds (default 11)")
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans that are stored (default 1,000,000)")
    parser.add_argument("--records", type=int, default=200_000, help="log records that are stored (default 200,000)")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    options = parser.parse_args()
    about = filled(options.folder, options.spans, options.records)
    highest = [0.0]
    with console(options.folder) as (url, process):
        stop = threading.Event()
        watch = threading.Thread(target=memory_while, args=(process, stop, highest))
        watch.start()
        taken = measure(url, process, queries(about), options.rounds)
        stop.set()
        watch.join()
    if options.json:
        print(json.dumps({"stored": about.__dict__, "milliseconds": taken, "memory_mib": highest[0]}))
        return
    print(f"{about.spans:,} spans in {about.traces:,} traces, {about.records:,} log records, {about.points:,} points")
    for name, values in taken.items():
        clock = [each.clock for each in values]
        processor = statistics.median(each.processor for each in values)
        late = "" if max(clock) < GOAL else "  over the goal"
        print(
            f"{name:40} {statistics.median(clock):6.1f} ms   max {max(clock):6.1f} ms   cpu {processor:5.1f} ms{late}"
        )
    print(f"{'memory of the console, at most':40} {highest[0]:6.0f} MiB; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
