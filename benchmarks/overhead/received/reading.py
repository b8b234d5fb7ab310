"""Finds the reader of a body by its path."""

from collections.abc import Iterable

from benchmarks.overhead.received import datadog, otlp
from benchmarks.overhead.received.bodies import Body
from benchmarks.overhead.received.content import Telemetry


def read(arrived: Iterable[Body]) -> Telemetry:
    """Return what bodies say; those that are no telemetry, such as an agent's housekeeping, say nothing."""
    telemetry = Telemetry()
    for body in arrived:
        telemetry.add(_read(body))
    return telemetry


def _read(body: Body) -> Telemetry:
    match body.path:
        case "/v1/traces":
            return otlp.read_traces(body.data)
        case "/v1/metrics":
            return otlp.read_metrics(body.data)
        case "/v1/logs":
            return otlp.read_logs(body.data)
        case "/v0.4/traces" | "/v0.5/traces":
            return datadog.read(body.path, body.data)
        case _:
            return Telemetry()
