"""A storm of log lines: what it loses, what it costs each call, what it takes of memory.

Run `python -m benchmarks.log_storm`: 10,000 lines a second for 10 seconds from four threads, to standard output, to six
files and over OTLP. Every line that is missing in one of them must be in a counter.
"""

import argparse
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from benchmarks.logging_cost import ROOT, counted_records, sink

THREADS: Final = 4
BURST: Final = 25


def worker(endpoint: str, directory: Path, rate: int, seconds: int) -> None:
    """Raise the storm in this process, and print what became of it on standard error."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - the worker's alone
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    from mita_otel import exporters  # noqa: PLC0415
    from mita_otel.logs import install, provider  # noqa: PLC0415
    from mita_otel.settings import Settings  # noqa: PLC0415

    settings = Settings.read(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )
    exports, who = exporters.build(settings), Resource.create({"service.name": "shop"})
    made = provider(settings, who, MeterProvider(shutdown_on_exit=False), exports.logs)
    installed = install(
        logger_provider=made, resource=lambda: who, outbox=exports.log_outbox, format="json", directory=directory
    )
    [(_, close)] = exports.closed_after(installed.closing)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls: list[list[float]] = [[] for _ in range(THREADS)]

    def blow(took: list[float]) -> None:
        logger, begun = logging.getLogger("shop"), time.monotonic()
        for number in range(rate * seconds // THREADS):
            if number % BURST == 0:
                time.sleep(max(0.0, begun + number * THREADS / rate - time.monotonic()))
            started = time.perf_counter()
            logger.info("order %s was asked for by %s", number, "shop")
            took.append(time.perf_counter() - started)

    begun = time.monotonic()
    threads = [threading.Thread(target=blow, args=(took,)) for took in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    storm = time.monotonic() - begun
    close(30)
    every = [took for of_thread in calls for took in of_thread]
    statistic = exports.log_outbox.statistics() if exports.log_outbox else None
    told = {
        "lines": len(every),
        "seconds": round(storm, 1),
        "seconds until all was written": round(time.monotonic() - begun, 1),
        "lost": {str(tuple(loss)): count for loss, count in installed.losses.counts().items() if count},
        "lost by the outbox": statistic.lost if statistic else None,
        "call, p50 us": round(statistics.median(every) * 1e6, 1),
        "call, p99 us": round(statistics.quantiles(every, n=100)[98] * 1e6, 1),
        "memory, MB": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1),
    }
    print(json.dumps(told), file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--worker", default="")
    parser.add_argument("--directory", type=Path)
    given = parser.parse_args()
    if given.worker:
        worker(given.worker, given.directory, given.rate, given.seconds)
        return
    with sink() as endpoint, tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "benchmarks.log_storm", "--worker", endpoint, "--directory", directory]
        numbers = ["--rate", str(given.rate), "--seconds", str(given.seconds)]
        environment = {"PATH": os.environ["PATH"]}
        ended = subprocess.run([*command, *numbers], cwd=ROOT, env=environment, capture_output=True, check=True)
        told = json.loads(ended.stderr.splitlines()[-1])
        files = b"".join(path.read_bytes() for path in Path(directory).glob("mita.json.log*"))
        told["on standard output"] = ended.stdout.count(b'"logger":"shop"')
        told["in mita.json.log"] = files.count(b'"logger":"shop"')
        told["received over OTLP"] = counted_records()
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
