"""Whether telemetry grows: the memory of a service that answers a million requests which do nothing, and tells of each.

Run `python -m benchmarks.memory`, or with `--quick` for 50,000 requests; it ends with status 1 if memory has grown.
Every request leaves a span and measurements, which a receiver takes; what is held until then is bounded, as
docs/performance.md says.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from benchmarks.overhead.load import saturate
from benchmarks.startup import free_port, sink, wait_until_it_answers

APPLICATION: Final = Path(__file__).parent / "overhead" / "application"
REQUESTS: Final = 1_000_000
QUICK: Final = 50_000
STEPS: Final = 20
"""Looks at the memory; the first quarter is warming up: caches, pools and the outbox take what they will hold."""
ALLOWED: Final = 3.0
"""MB between the medians of the first and the last third after warming up: what an allocator leaves lying about.
A leak of 100 bytes a request makes 3 MB of 50,000 requests, and 50 MB of a million."""


class Growth(NamedTuple):
    """How the memory of a process developed.

    Attributes:
        before: MB, median of the first third after warming up.
        after: MB, median of the last third.
    """

    before: float
    after: float

    @property
    def is_allowed(self) -> bool:
        """Whether it is no growth."""
        return self.after - self.before <= ALLOWED


def judge(seen: Sequence[float]) -> Growth:
    """Judge the memory that was seen, in MB, at equal distances; needs at least four looks."""
    warm = seen[len(seen) // 4 :]
    third = max(1, len(warm) // 3)
    return Growth(statistics.median(warm[:third]), statistics.median(warm[-third:]))


def measure(requests: int, variables: Mapping[str, str] | None = None) -> list[float]:
    """Return the MB of the service after each step of the requests.

    Args:
        requests: answered in all.
        variables: of its environment, beside where it delivers.
    """
    port = free_port()
    with sink() as endpoint, _service(port, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **(variables or {})}) as process:
        seen = []
        for _ in range(STEPS):
            saturate(port, "/ping", connections=16, requests=requests // STEPS)
            seen.append(process.memory_info().rss / 1e6)
        return seen


@contextmanager
def _service(port: int, variables: Mapping[str, str]) -> Iterator[psutil.Process]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "MITA_"))}
    environment |= {
        "PYTHONPATH": f"{APPLICATION}:{Path(__file__).parents[1]}",
        "OTEL_SERVICE_NAME": "memory",
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
        "MITA_STRICT": "1",
        # Nothing asks for them: connections are made by the first question.
        "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1/nothing",
        "REDIS_URL": "redis://127.0.0.1",
        "PRICES_URL": "http://127.0.0.1",
        **variables,
    }
    programs = Path(sys.executable).parent
    server = [
        str(programs / "uvicorn"),
        "service:app",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(
        [str(programs / "opentelemetry-instrument"), *server], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until_it_answers(process, f"http://127.0.0.1:{port}/ping")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} requests")
    parser.add_argument("--requests", type=int, default=0, help=f"so many instead of {REQUESTS:,}")
    options = parser.parse_args()
    requests = options.requests or (QUICK if options.quick else REQUESTS)
    seen = measure(requests)
    growth = judge(seen)
    print(f"after each {requests // STEPS:,} requests, MB: {', '.join(f'{megabytes:.1f}' for megabytes in seen)}")
    print(json.dumps({"requests": requests, "before": growth.before, "after": growth.after, "ok": growth.is_allowed}))
    sys.exit(not growth.is_allowed)


if __name__ == "__main__":
    main()
