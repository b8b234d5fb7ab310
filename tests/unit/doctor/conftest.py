"""Facts of a set-up that is in order, to be spoiled one at a time."""

from dataclasses import replace
from typing import Any

import pytest

from mita_otel.doctor.facts.model import (
    Application,
    Delivery,
    EntryPoint,
    Facts,
    Library,
    Live,
    Look,
    Packages,
    Process,
    Protobuf,
    Queue,
)
from mita_otel.endpoint import OtlpEndpoint, Signal

SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")

SAMPLER = (
    "ParentBased{root:%s,remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,"
    "localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}"
)

ENTRY_POINTS = (
    EntryPoint("opentelemetry_distro", "mita", "mita-otel"),
    EntryPoint("opentelemetry_configurator", "mita", "mita-otel"),
    *(EntryPoint(f"opentelemetry_{signal}_exporter", "otlp", "opentelemetry-exporter-otlp") for signal in SIGNALS),
    EntryPoint("opentelemetry_propagator", "tracecontext", "opentelemetry-api"),
    EntryPoint("opentelemetry_propagator", "baggage", "opentelemetry-api"),
    EntryPoint("opentelemetry_traces_sampler", "always_off", "opentelemetry-sdk"),
    EntryPoint("opentelemetry_traces_sampler", "always_on", "opentelemetry-sdk"),
    EntryPoint("opentelemetry_traces_sampler", "traceidratio", "opentelemetry-sdk"),
)


def delivery(signal: Signal = "traces", **changes: Any) -> Delivery:
    made = Delivery(
        signal=signal,
        endpoint=OtlpEndpoint(url=f"http://localhost:4318/v1/{signal}"),
        variable="OTEL_EXPORTER_OTLP_ENDPOINT",
        given=False,
        outcome="accepted",
        seconds=0.012,
        ahead=0.0,
    )
    return replace(made, **changes)


def look(**changes: Any) -> Look:
    made = Look(
        where="Jaeger",
        url="http://j:16686",
        variable="MITA_JAEGER_URL",
        given=False,
        answers=True,
        found=True,
        seconds=1,
    )
    return replace(made, **changes)


def queue(**changes: Any) -> Queue:
    made = Queue(signal="traces", capacity=100, queued=0, accepted=1000, lost={}, retries=0)
    return replace(made, **changes)


def process(**changes: Any) -> Process:
    made = Process(
        ours=True,
        sampler=SAMPLER % "AlwaysOnSampler",
        spans="ours",
        logs="direct",
        propagated=("baggage", "traceparent", "tracestate"),
        resource={"service.name": "orders"},
        libraries=(Library("fastapi", "0.165.0", imported=True, path="native"), Library("redis", None)),
        fastapi_native=True,
    )
    return replace(made, **changes)


def application(**changes: Any) -> Application:
    made = Application(name="app.main:app", kind="FastAPI", native={"tracing": True, "metrics": True})
    return replace(made, **changes)


@pytest.fixture
def in_order() -> Facts:
    """Facts about which nothing is to be said against."""
    return Facts(
        packages=Packages(
            pins={"opentelemetry-sdk": "1.45.1"},
            entry_points=ENTRY_POINTS,
            protobuf=Protobuf(version="7.1", implementation="upb", grpc="1.80"),
        ),
        process=process(),
        deliveries=tuple(delivery(signal) for signal in SIGNALS),
        looks=(look(),),
        live=Live(queues=(queue(),), faults={"redis": 0}),
    )
