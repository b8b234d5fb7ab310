"""The table of checks, in the order in which they are told; one module a topic, each a pure function of the facts."""

from typing import Final

from mita_otel.doctor.checks import (
    arrival,
    clock,
    distribution,
    doubles,
    endpoint,
    exporters,
    fastapi,
    instrumentations,
    logs,
    losses,
    measurements,
    propagators,
    protobuf,
    resource,
    sampler,
    sentry,
    settings,
    spans,
    unknown,
    versions,
)
from mita_otel.doctor.model import Check

CHECKS: Final[tuple[Check, ...]] = (
    Check("settings", "values that are not allowed, names that are misspelled", settings.judge),
    Check("versions", "the packages that must be installed together", versions.judge),
    Check("protobuf", "protobuf and gRPC: versions, imports, the fast implementation", protobuf.judge),
    Check("distribution", "which distribution and configurator the launcher chooses", distribution.judge),
    Check("start", "whether a process with these settings starts with telemetry", distribution.judge_start),
    Check("exporters", "signals that go nowhere, exporters that are not installed", exporters.judge),
    Check("endpoint", "a real request to each signal's receiver", endpoint.judge),
    Check("arrival", "the probe span, in the console or in Jaeger", arrival.judge),
    Check("clock", "our clock against the receiver's", clock.judge),
    Check("sampler", "the share of traces that is recorded", sampler.judge),
    Check("spans", "which path spans take, and what makes them cost more", spans.judge),
    Check("measurements", "which path our measurements take, and what makes them cost more", measurements.judge),
    Check("logs", "which path log records take to OTLP, and why", logs.judge),
    Check("propagators", "whether traces go on in the next service", propagators.judge),
    Check("resource", "the service's name", resource.judge),
    Check("instrumentations", "which libraries are instrumented, and why others are not", instrumentations.judge),
    Check("fastapi", "native telemetry: whether it serves, and what else it was told to do", fastapi.judge),
    Check("doubles", "libraries instrumented twice, signals sent twice", doubles.judge),
    Check("sentry", "whether errors are reported, where and as whose", sentry.judge),
    Check("losses", "telemetry lost since the service began (running service)", losses.judge_losses),
    Check("queue", "how full the queues are (running service)", losses.judge_queues),
    Check("faults", "faults kept from the application (running service)", losses.judge_faults),
    Check("unknown", "what could not be looked at", unknown.judge),
)
