"""A week of what is normal, as Prometheus would have it: drawn from one seed, so that it is the same week each time.

Three replicas of a shop, two of another service and one for trying things out, by day, night and weekend; deployments,
a replica that is replaced each day, blips of a few failures, slow minutes, samples that are missing, a queue that grows
for half a minute, breakers that open for as long, a disk that fills until its logs are rotated.
"""

import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final, TypeAlias

HOUR: Final = 3600
DAY: Final = 24 * HOUR
WORKDAYS: Final = 5
MORNING, NIGHT = 5, 23
YOUNG: Final = 60
"""Seconds that a process takes until it is ready."""
STEP: Final = 15
SEED: Final = 20_261_125

Span: TypeAlias = tuple[float, float]
Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]

SERVICES: Final = (("shop", "production", 3, 40.0), ("books", "production", 2, 6.0), ("shop", "staging", 1, 0.5))
"""Name, place, replicas and requests a second at noon."""

OBJECTIVES: Final = {
    "service-availability": (1.0, "failed"),
    "service-latency-p95": (1.0, "slow"),
    "service-latency-p99": (1.0, "slowest"),
    "transactions-availability": (0.2, "failed"),
    "budgets-availability": (0.1, "failed"),
}
"""The share of the requests that an objective is about, and which of those are bad."""


class Week:
    """Samples by series, from the first that there is; None where one is missing.

    Args:
        steps: how many there are.
        begin: seconds since Monday's midnight of the first.
    """

    def __init__(self, steps: int, begin: int) -> None:
        self.steps = steps
        self.begin = begin
        self.samples: dict[Key, tuple[int, list[float | None]]] = {}

    def put(self, key: Key, position: int, value: float) -> None:
        """Write a sample down; positions of a series never go back."""
        first, values = self.samples.setdefault(key, (position, []))
        values += [None] * (position - first - len(values))
        values.append(value)

    def written(self, names: str, every: int) -> Iterator[dict[str, str]]:
        """Return the series that a text names, as promtool reads them, a sample each so many steps."""
        for (name, labels), (first, values) in self.samples.items():
            if name in names:
                matchers = ", ".join(f'{key}="{text}"' for key, text in labels)
                begin = -first % every
                shown = chain(repeat(None, (first + begin) // every), values[begin::every])
                yield {"series": f"{name}{{{matchers}}}", "values": " ".join(_shortened(shown))}


def _shortened(values: Iterable[float | None]) -> Iterator[str]:
    missing = 0
    for value in values:
        if value is None:
            missing += 1
            continue
        if missing:
            yield f"_x{missing}"
            missing = 0
        yield f"{value:.10g}"
    if missing:
        yield f"_x{missing}"


@dataclass
class Process:
    """A process: how long it lived, and what it has counted."""

    service: str
    place: str
    instance: str
    begin: float
    end: float
    counted: dict[Key, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels = (
            ("job", self.service),
            ("instance", self.instance),
            ("service_name", self.service),
            ("deployment_environment_name", self.place),
        )

    def key(self, name: str, **labels: str) -> Key:
        """Return one of its series."""
        return name, (*self.labels, *labels.items())

    def count(self, name: str, more: float, **labels: str) -> None:
        """Count, from zero on."""
        key = self.key(name, **labels)
        self.counted[key] = self.counted.get(key, 0.0) + more


class Troubles:
    """What happens besides, for one service; drawn once for all days."""

    def __init__(self, days: int, chance: random.Random) -> None:
        def some(a_day: int, longest: float) -> list[Span]:
            begins = (chance.uniform(0, days * DAY) for _ in range(days * a_day))
            return [(begin, begin + chance.uniform(STEP, longest)) for begin in sorted(begins)]

        self.blips = some(6, 30)
        self.slow = some(6, 150)
        self.spikes = some(8, 120)
        self.open = some(2, 40)
        self.tries = some(3, 90)
        self.deployed = [day * DAY + hour * HOUR for day in range(days) for hour in (10, 15) if day % 7 < WORKDAYS]
        self.crashed = [day * DAY + chance.uniform(0, DAY) for day in range(days)]


def during(spans: Iterable[Span], now: float) -> bool:
    """Return whether one of some is now."""
    return any(begin <= now < end for begin, end in spans)


def traffic(now: float) -> float:
    """Return the traffic of a moment as a share of noon's: a fiftieth at night, half of it on the last two days."""
    hour = now % DAY / HOUR
    daily = max(0.02, math.sin(math.pi * (hour - MORNING) / 18)) if MORNING <= hour <= NIGHT else 0.02
    return daily * (0.5 if now // DAY % 7 >= WORKDAYS else 1.0)


def processes(service: str, place: str, replicas: int, days: int, troubles: Troubles) -> list[Process]:
    """Return every process of a service: each slot's next one begins 40 s after one ended."""
    made = []
    for slot in range(replicas):
        ends: list[float] = [moment + 90 * slot for moment in troubles.deployed]
        ends += [moment for day, moment in enumerate(troubles.crashed) if day % replicas == slot]
        begin = float(-3600 * (slot + 1))
        for number, end in enumerate([*sorted(ends), float(days * DAY)]):
            if end > begin:
                made.append(Process(service, place, f"{service}-{place}-{slot}-{number}", begin, end))
                begin = end + 40
    return made


def drawn(mean: float, chance: random.Random) -> int:
    """Return a count with a mean."""
    if mean > 30:  # noqa: PLR2004 - from there on it is as good as normal
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def week(hours: int, begin: int = 0) -> Week:
    """Draw some hours.

    Args:
        hours: how many.
        begin: the hour that they begin with, since Monday's midnight.
    """
    days = -(-(begin + hours) * HOUR // DAY)
    chance, made = random.Random(SEED), Week(hours * HOUR // STEP, begin * HOUR)
    missing = Troubles(days, chance).spikes
    for service, place, replicas, busy in SERVICES:
        troubles = Troubles(days, chance)
        mine = processes(service, place, replicas, days, troubles)
        for position in range(made.steps):
            now = made.begin + position * STEP
            for process in mine:
                if process.begin <= now < process.end:
                    _serve(process, now, busy * traffic(now) * STEP / replicas, troubles, chance)
                    if not during(missing, now):
                        _tell(process, position, troubles, chance, made)
    _pipeline(made, missing, Troubles(days, chance).open)
    return made


def _serve(process: Process, now: float, mean: float, troubles: Troubles, chance: random.Random) -> None:
    """Answer the requests of a step, some of them badly."""
    requests, is_slow = drawn(mean, chance), during(troubles.slow, now)
    failed = drawn(mean * 0.00002, chance) + (drawn(mean * 0.005, chance) if during(troubles.blips, now) else 0)
    failed = min(failed, requests)
    slow, slowest = (
        drawn(mean * (0.15 if is_slow else 0.02), chance),
        drawn(mean * (0.08 if is_slow else 0.003), chance),
    )
    for status, many in (("200", requests - failed), ("404", drawn(mean * 0.01, chance)), ("500", failed)):
        process.count("http_server_request_duration_seconds_count", many, http_response_status_code=status)
    _durations(process, "http_server_request_duration_seconds", requests, slow, slowest)
    _durations(process, "db_client_operation_duration_seconds", requests * 3, slow // 4, slowest // 4)
    _durations(process, "mita_event_loop_lag_seconds", 150, 6 if is_slow else 0, 0)
    bad = {"failed": failed, "slow": min(slow, requests), "slowest": min(slowest, requests)}
    for slo, (part, kind) in OBJECTIVES.items():
        whole = drawn(requests * part, chance) if part < 1 else requests
        spoiled = min(bad[kind] if part == 1 else drawn(bad[kind] * part, chance), whole)
        process.count("mita_slo_events_total", whole - spoiled, slo=slo, outcome="good")
        process.count("mita_slo_events_total", spoiled, slo=slo, outcome="bad")
    _business(process, mean, during(troubles.tries, now), during(troubles.spikes, now), chance)


def _durations(process: Process, name: str, many: int, slow: int, slowest: int) -> None:
    labels = {"db_system_name": "postgresql", "db_namespace": "shop"} if name.startswith("db") else {}
    for bound, more in (("0.25", many - slow), ("0.5", many - slow), ("1.0", many - slowest), ("+Inf", many)):
        process.count(f"{name}_bucket", max(0, more), le=bound, **labels)
    if not name.startswith("http"):
        process.count(f"{name}_count", many, **labels)


def _business(process: Process, mean: float, is_tried: bool, is_spike: bool, chance: random.Random) -> None:  # noqa: FBT001 - facts
    logins = drawn(mean * 0.05, chance)
    failed = drawn(mean * 0.004, chance) + (chance.randint(0, 1) if is_tried else 0)
    process.count("mita_authentication_total", logins, status="success")
    process.count("mita_authentication_total", failed, status="failed")
    process.count("mita_ocr_processing_total", drawn(mean * 0.02, chance), status="success")
    process.count("mita_ocr_processing_total", drawn(mean * 0.0005, chance), status="failed")
    process.count("mita_rate_limit_requests_total", drawn(mean, chance), policy="general", result="allowed")
    blocked = drawn(mean * 0.01, chance) + (chance.randint(0, 4) if is_tried else 0)
    process.count("mita_rate_limit_requests_total", blocked, policy="general", result="blocked")
    process.count("mita_cache_operations_total", drawn(mean * 2, chance), status="hit")
    process.count("mita_cache_operations_total", drawn(mean * 0.002, chance), status="error")
    process.count("mita_timeouts_total", drawn(mean * 0.005, chance) if is_spike else 0, scope="pool")


def _tell(process: Process, position: int, troubles: Troubles, chance: random.Random, made: Week) -> None:
    """Write down what a process tells at a collection."""
    now = made.begin + position * STEP
    for key, value in process.counted.items():
        made.put(key, position, value)
    is_spike, share = during(troubles.spikes, now), traffic(now)
    is_young = now - process.begin < YOUNG
    pool = {"db_client_connection_pool_name": "db:5432/shop", "db_system_name": "postgresql"}
    # promtool's clock begins with the first sample.
    refreshed = now - now % 240 - (300 if is_young else 0) - made.begin
    hours = now / HOUR
    gauges: Mapping[Key, float] = {
        process.key("process_uptime_seconds"): now - process.begin,
        process.key("mita_health_status"): 0.33 if is_young else 0.66 if is_spike else 1.0,
        process.key("mita_health_ready"): 0.0 if is_young else 1.0,
        process.key("mita_database_up", **pool): 1.0,
        process.key("mita_rate_limit_backend_state", state="down"): 0.0,
        process.key("mita_circuit_breaker_state", service="bank", state="open"): float(during(troubles.open, now)),
        process.key("mita_last_data_update_timestamp"): refreshed,
        process.key("db_client_connection_count", db_client_connection_state="used", **pool): (
            19.0 if is_spike else 1 + round(10 * share) + chance.randint(0, 3)
        ),
        process.key("db_client_connection_max", **pool): 20.0,
        process.key("mita_cpu_usage_percent"): 97.0 if is_spike else 15 + 45 * share + chance.gauss(0, 5),
        process.key("mita_memory_usage_percent"): 55 + 15 * share + chance.gauss(0, 1),
        process.key("mita_disk_free_gb"): 60 - 0.8 * (hours % 24) + chance.gauss(0, 0.05),
        process.key("mita_disk_usage_percent"): 70.0,
    }
    for key, value in gauges.items():
        made.put(key, position, value)


def _pipeline(made: Week, missing: Iterable[Span], queued: Iterable[Span]) -> None:
    collector = (("job", "otelcol"), ("instance", "otelcol:1"), ("exporter", "otlp"))
    prometheus = (("job", "prometheus"), ("instance", "p:1"))
    for position in range(made.steps):
        now = made.begin + position * STEP
        if during(missing, now):
            continue
        for job in ("otelcol", "jaeger", "loki", "prometheus", "alertmanager"):
            made.put(("up", (("job", job), ("instance", f"{job}:1"))), position, 1.0)
        made.put(("otelcol_exporter_queue_size", collector), position, 4.0 if during(queued, now) else 0.2)
        made.put(("otelcol_exporter_queue_capacity", collector), position, 100.0)
        made.put(("otelcol_exporter_send_failed_spans_total", collector), position, 7.0)
        made.put(("prometheus_notifications_alertmanagers_discovered", prometheus), position, 1.0)
        made.put(("prometheus_notifications_sent_total", prometheus), position, float(position // 4))
        made.put(("prometheus_notifications_errors_total", prometheus), position, float(position // 4000))
