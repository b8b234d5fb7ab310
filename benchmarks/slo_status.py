"""What `GET /slo/status` takes to answer, by who is asked: `python -m benchmarks.slo_status`.

The reference service's 31 objectives, judged anew for each answer; Prometheus is away. A month and a day by the minute
are in Redis, of two replicas.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from array import array
from functools import partial
from pathlib import Path
from typing import Any

from mita_otel import slo
from mita_otel.breakers import CircuitBreaker, Registry
from mita_otel.slo import prometheus
from mita_otel.slo.prometheus import PrometheusSource
from mita_otel.slo.shared import RedisSource
from mita_otel.slo.shared.source import BREAKER, POLICY
from mita_otel.slo.windows import HOUR
from mita_otel.stack import databases, versions
from mita_otel.web.slo import SloEndpoint

LIMIT = 10.0
"""Milliseconds for an answer."""
RUNS = 101


def _breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(name, POLICY, registry=Registry())


def _away(specification: slo.Specification) -> PrometheusSource:
    url = "http://127.0.0.1:9"
    return PrometheusSource(url, "shop", specification.slos, breaker=_breaker(prometheus.BREAKER))


def _filled(url: str, specification: slo.Specification) -> None:
    """Let two replicas tell of a month that ends now."""
    for _ in range(2):
        now = array("d", [time.time() - 30 * 24 * HOUR])
        clock = partial(now.__getitem__, 0)
        shared = RedisSource(url, "shop", specification.slos, clock=clock, breaker=_breaker(BREAKER))
        objectives = slo.Objectives(specification, clock=clock)
        shared.serve(objectives.counts.seen)
        for hour in range(30 * 24):
            last_day = hour >= 29 * 24
            for _ in range(60 if last_day else 1):
                for status in (200,) * 20 + (500,):
                    objectives.events.request("POST", "/api/transactions", status, 0.05)
                    objectives.events.request("GET", "/api/budgets/dashboard", status, 0.05)
                now[0] += 60 if last_day else HOUR
                shared._note()  # noqa: SLF001 - what a tick does, without a round
            shared.read()
        shared.close(10)


async def _never(*_: Any) -> Any:
    raise AssertionError("not asked for")


def _asked() -> tuple[float, dict[str, Any]]:
    """Return the milliseconds that an answer takes, and what it says."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> float:
        began = time.perf_counter()
        await SloEndpoint(_never)({"type": "http", "path": "/slo/status", "method": "GET", "headers": []}, _never, send)
        return (time.perf_counter() - began) * 1000

    return asyncio.run(ask()), json.loads(sent[1]["body"])


def measured(objectives: slo.Objectives) -> dict[str, Any]:
    """Return how long answers take that are judged anew each."""
    slo.use(objectives)
    times, sources = [], set()
    for _ in range(RUNS):
        objectives.engine._status = None  # noqa: SLF001 - judged anew
        took, told = _asked()
        times.append(took)
        sources.add(told["source"])
    slo.use(None)
    ordered = sorted(times)
    return {
        "sources": sorted(sources),
        "median": statistics.median(times),
        "p99": ordered[int(0.99 * (RUNS - 1))],
        "objectives": len(objectives.specification.slos),
    }


def run() -> dict[str, dict[str, Any]]:
    """Measure with Redis, and without."""
    specification = slo.load(versions.root() / "collector" / "slo" / "mita.yaml")
    with tempfile.TemporaryDirectory() as folder, databases.redis_server(Path(folder)) as server:
        _filled(server.url, specification)
        shared = RedisSource(server.url, "shop", specification.slos, breaker=_breaker(BREAKER))
        objectives = slo.Objectives(specification, [_away(specification)], shared=shared)
        shared.wait(30)
        began = time.perf_counter()
        shared.read()
        found = {"a round with redis": {"median": (time.perf_counter() - began) * 1000}, "redis": measured(objectives)}
        server.kill()
        shared._round.seen_at = float("-inf")  # noqa: SLF001 - as a minute and a half later
        found["process, filled by redis"] = measured(objectives)
        shared.wait(30)
    found["process"] = measured(slo.Objectives(specification, [_away(specification)]))
    return found


def main() -> None:
    found = run()
    print("milliseconds for an answer of 31 objectives, each judged anew")
    for who, each in found.items():
        told = f", told by {' and '.join(each['sources'])}" if "sources" in each else " (beside the requests)"
        print(f"{who:26} median {each['median']:7.2f}" + (f"  p99 {each['p99']:7.2f}" if "p99" in each else "") + told)
    if any(each.get("p99", 0) > LIMIT for each in found.values()):
        sys.exit(f"an answer takes more than {LIMIT} ms")


if __name__ == "__main__":
    main()
