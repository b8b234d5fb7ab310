"""Fills the console's file, by its own writer, as busy services would: an hour of traces, log records and metrics."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.console_bearing import changes, failure, measure
from mita_otel.console.receive.decode import batches_of
from mita_otel.console.store.writing import Signal, Store

HOUR = 3_600_000_000_000
SERVICES = ("gateway", "orders", "payments", "inventory", "notifications")
ROUTES = tuple(
    f"/api/{noun}/{{id}}{tail}" for noun in ("orders", "carts", "users", "items") for tail in ("", "/lines", "/notes")
)
RARE = "order-0000rare"
RARE_WORD = "kaleidoscope"
FAILING = 0.01
"""Share of the traces."""
VERSION = 5
"""Of what is filled in; another is filled anew."""


@dataclass(frozen=True)
class Filled:
    """What the file holds: counts, its end in nanoseconds, a trace of it, and how long filling took."""

    version: int
    spans: int
    records: int
    points: int
    traces: int
    end: int
    trace: str
    seconds: float


def filled(folder: Path, spans: int, records: int) -> Filled:
    """Return what the folder holds, after filling it if it does not hold that yet."""
    about = folder / "filled.json"
    if about.exists():
        found = Filled(**json.loads(about.read_text()))
        if found.version == VERSION and found.spans >= spans and found.records >= records:
            return found
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    made = _fill(folder, spans, records)
    about.write_text(json.dumps(asdict(made)))
    return made


def _fill(folder: Path, spans: int, records: int) -> Filled:
    began = time.perf_counter()
    end = time.time_ns()
    traffic = _Traffic(end - HOUR, spans, records)
    store = Store(folder / "console.db")
    points = 0
    for signal, request in traffic.requests():
        store.begin()
        store.write(signal, batches_of(signal, request.SerializeToString(), is_json=False))
        store.commit()
    for changed in told(end):
        store.begin()
        store.write(Signal.LOGS, batches_of(Signal.LOGS, changed.SerializeToString(), is_json=False))
        store.commit()
    for request in metrics(end):
        store.begin()
        points += store.write(
            Signal.METRICS, batches_of(Signal.METRICS, request.SerializeToString(), is_json=False)
        ).accepted
        store.commit()
    store.close()
    seconds = time.perf_counter() - began
    trace = traffic.trace_id(traffic.traces // 2).hex()
    return Filled(VERSION, traffic.spans, traffic.records, points, traffic.traces, end, trace, seconds)


def pairs(**attributes: Any) -> list[KeyValue]:
    """Return attributes; double underscores in the names become dots."""
    found = []
    for name, value in attributes.items():
        pair = KeyValue(key=name.replace("__", "."))
        kind = {str: "string_value", int: "int_value", float: "double_value", bool: "bool_value"}[type(value)]
        setattr(pair.value, kind, value)
        found.append(pair)
    return found


def resource(service: str) -> Resource:
    return Resource(
        attributes=pairs(
            service__name=service, service__instance__id=f"{service}-1", service__version="1.4.2",
            deployment__environment__name="development", telemetry__sdk__language="python", host__name="bench",
        )
    )  # fmt: skip


class _Traffic:
    """Requests of SDKs, each with the spans and records of a hundred traces of one moment."""

    def __init__(self, start: int, spans: int, records: int) -> None:
        self._random = random.Random(4711)
        self._start = start
        self.traces = spans // 8
        self.spans = 0
        self.records = 0
        self._records_each = records / self.traces
        self._salt = self._random.randbytes(8)

    def trace_id(self, number: int) -> bytes:
        return self._salt + number.to_bytes(8)

    def requests(self) -> Iterator[tuple[Signal, Any]]:
        for first in range(0, self.traces, 100):
            traces = ExportTraceServiceRequest()
            logs = ExportLogsServiceRequest()
            spans = {s: traces.resource_spans.add(resource=resource(s)).scope_spans.add() for s in SERVICES}
            lines = {s: logs.resource_logs.add(resource=resource(s)).scope_logs.add() for s in SERVICES}
            for service in SERVICES:
                spans[service].scope.name = lines[service].scope.name = "mita_otel"
            for number in range(first, min(first + 100, self.traces)):
                self._trace(number, spans, lines)
            yield Signal.TRACES, traces
            yield Signal.LOGS, logs

    def _trace(self, number: int, spans: dict[str, Any], lines: dict[str, Any]) -> None:
        rnd = self._random
        at = self._start + number * HOUR // self.traces
        route = ROUTES[int(rnd.random() ** 2 * len(ROUTES))]
        order = RARE if number == self.traces // 3 else f"order-{number:08d}"
        failed = rnd.random() < FAILING
        base = int(rnd.lognormvariate(3, 0.8) * 1e6)
        trace = self.trace_id(number)

        def add(service: str, name: str, kind: int, parent: bytes, share: tuple[float, float], **more: Any) -> bytes:
            span = spans[service].spans.add(
                name=name, kind=kind, trace_id=trace, span_id=rnd.randbytes(8), parent_span_id=parent
            )
            span.start_time_unix_nano = at + int(base * share[0])
            span.end_time_unix_nano = at + int(base * share[1])
            span.attributes.extend(pairs(**more))
            if failed and kind == Span.SPAN_KIND_SERVER:
                span.status.code = 2
            self.spans += 1
            return bytes(span.span_id)

        server = {
            "http__request__method": "GET",
            "http__route": route,
            "http__response__status_code": 500 if failed else 200,
        }
        root = add("gateway", f"GET {route}", 2, b"", (0, 1), url__path=route.replace("{id}", str(number)), **server)
        call = add(
            "gateway", "GET", 3, root, (0.05, 0.95), server__address="orders", url__full=f"http://orders/{number}"
        )
        served = add("orders", f"GET {route}", 2, call, (0.1, 0.9), order__id=order, **server)
        query = "SELECT id, total FROM orders WHERE id = $1"
        add("orders", "SELECT orders", 3, served, (0.12, 0.3), db__system__name="postgresql", db__query__text=query)
        pay = add("orders", "POST", 3, served, (0.35, 0.7), server__address="payments", http__request__method="POST")
        add(
            "payments",
            "POST /charge",
            2,
            pay,
            (0.4, 0.65),
            amount=rnd.randrange(10_000) / 100,
            order__id=order,
            **server,
        )
        add("inventory", "reserve", 1, served, (0.7, 0.8), items=rnd.randrange(1, 9), warehouse=f"w{number % 40}")
        add("notifications", "mail publish", 4, served, (0.8, 0.85), messaging__destination__name="mails")
        self._lines(number, at, 17 if failed else 9, lines)

    def _lines(self, number: int, at: int, severity: int, lines: dict[str, Any]) -> None:
        wanted = int((number + 1) * self._records_each) - int(number * self._records_each)
        for place in range(wanted):
            record = lines[SERVICES[place % 5]].log_records.add(
                time_unix_nano=at + place * 1000, trace_id=self.trace_id(number)
            )
            word = RARE_WORD if number == self.traces // 3 else "order"
            record.body.string_value = f"{word} {number} paid in {number % 97} ms by customer c{number * 7 % 50_000}"
            record.severity_number, record.severity_text = severity, "ERROR" if severity > 9 else "INFO"  # noqa: PLR2004 - as specified
            record.attributes.extend(pairs(customer=f"c{number * 7 % 50_000}", thread__name="MainThread"))
            if severity > 9:  # noqa: PLR2004 - as above
                record.attributes.extend(failure(number))
            self.records += 1


def metrics(end: int) -> Iterator[ExportMetricsServiceRequest]:
    """Yield an hour of exports, one every ten seconds and service."""
    bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    for tick in range(360):
        at = end - HOUR + tick * 10_000_000_000
        for service in SERVICES:
            request = ExportMetricsServiceRequest()
            group = request.resource_metrics.add(resource=resource(service)).scope_metrics.add()
            about = {"start_time_unix_nano": end - HOUR, "time_unix_nano": at + 5_000_000_000}
            durations = group.metrics.add(name="http.server.request.duration", unit="s").histogram
            durations.aggregation_temporality = 2
            sizes = group.metrics.add(name="http.server.response.body.size", unit="By").exponential_histogram
            sizes.aggregation_temporality = 2
            counted = group.metrics.add(name="orders.placed", unit="{order}").sum
            counted.aggregation_temporality, counted.is_monotonic = 2, True
            for place, route in enumerate(ROUTES):
                shown = pairs(http__route=route, http__request__method="GET")
                n = (tick + 1) * (place + 1)
                counts = [n * w for w in (1, 3, 9, 20, 20, 15, 10, 5, 3, 2, 1, 0, 0, 0, 0)]
                durations.data_points.add(
                    **about,
                    attributes=shown,
                    explicit_bounds=bounds,
                    bucket_counts=counts,
                    count=sum(counts),
                    sum=n * 4.2,
                )
                point = sizes.data_points.add(**about, attributes=shown, scale=3, count=n * 40)
                point.positive.offset = 60
                point.positive.bucket_counts.extend([n] * 40)
                counted.data_points.add(**about, attributes=shown, as_int=n * 7)
            used = group.metrics.add(name="process.memory.usage", unit="By").gauge
            used.data_points.add(**about, as_int=80_000_000 + tick * 1000)
            if tick % 6 == 0:  # once a minute
                measure(group, tick, about["time_unix_nano"], about["start_time_unix_nano"])
            yield request


def told(end: int) -> Iterator[ExportLogsServiceRequest]:
    """Yield an hour of changes."""
    for tick in range(360):
        for service in SERVICES:
            request = ExportLogsServiceRequest()
            group = request.resource_logs.add(resource=resource(service)).scope_logs.add()
            changes(group, tick, end - HOUR + tick * 10_000_000_000)
            if group.log_records:
                yield request
