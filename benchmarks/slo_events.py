"""What it costs a request to be counted for objectives: `python -m benchmarks.slo_events`.

Ten objectives match: four availabilities and six latencies. Medians of many runs; beside them what the SDK's own
counter would take for as many series. A request that is bad for some is written down in the budget ledger, too.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.metrics.catalogue.slo import EVENTS
from mita_otel.slo.counts import Counts
from mita_otel.slo.events import Events
from mita_otel.slo.routes import Route, Routes
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import Rolling

LIMIT = 3.0
"""Microseconds a request may take for ten objectives."""
ROUTE = "/api/orders/{id}"
TIMES = 20_000
RUNS = 15


def objectives(matching: int) -> tuple[Slo, ...]:
    """Return ten objectives that match the route for every three that do not."""
    made = []
    for number in range(matching + 3):
        pattern = ROUTE if number < matching else "/api/other"
        made.append(
            Slo(
                id=f"slo-{number}",
                title="",
                description="",
                service="shop",
                owner="shop",
                tier=1,
                type="availability" if number % 3 == 0 else "latency",
                objective=0.999,
                period=Rolling(30 * 86_400),
                routes=Routes((Route.read(pattern),)),
                threshold=None if number % 3 == 0 else 0.1 * number,
            )
        )
    return tuple(made)


def microseconds(call: Callable[[], object]) -> float:
    """Return the median time of a call."""
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(TIMES):
            call()
        runs.append((time.perf_counter() - began) / TIMES * 1e6)
    return statistics.median(runs)


def measured(matching: int, seconds: float = 0.05) -> float:
    """Return the microseconds of a request that so many objectives match.

    Args:
        matching: objectives.
        seconds: that it took; all thresholds are above 0.05, two are below 0.35.
    """
    slos = objectives(matching)
    events = Events(slos, Counts(len(slos)))
    return microseconds(lambda: events.request("GET", ROUTE, 200, seconds))


def by_the_sdk(matching: int) -> float:
    """Return the microseconds that the SDK's counter takes for as many series."""
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    counter = EVENTS.create(provider.get_meter("benchmark"))
    series = [{"slo": f"slo-{number}", "outcome": "good"} for number in range(matching)]

    def count() -> None:
        for attributes in series:
            counter.add(1, attributes)

    return microseconds(count) if matching else 0.0


def main() -> None:
    figures = {f"{n} objectives": round(measured(n), 2) for n in (0, 1, 10)}
    figures["10 objectives, bad for 2"] = round(measured(10, 0.35), 2)
    print(json.dumps({"us": figures, "sdk_us": round(by_the_sdk(10), 2), "limit_us": LIMIT}, indent=2))
    sys.exit(figures["10 objectives"] > LIMIT)


if __name__ == "__main__":
    main()
