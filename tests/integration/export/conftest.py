"""Span processors on the real receiver, over both protocols."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from mita_otel.export import OutboxSpanProcessor, Pace, open_sender, otlp_endpoint
from tests.fixtures.otlp_receiver import OtlpReceiver

PACE = Pace(schedule_delay=0.02, backoff_initial=0.05, backoff_limit=0.1, attempt_timeout=0.5, batch_size=50)


class Tracing:
    """A tracer provider whose spans go through an outbox."""

    def __init__(self, environment: dict[str, str], pace: Pace) -> None:
        self.processor = OutboxSpanProcessor(open_sender(otlp_endpoint(environment, "traces"), "traces"), pace=pace)
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        self.tracer = self.provider.get_tracer("test")

    def spans(self, count: int, prefix: str = "span") -> list[str]:
        names = [f"{prefix}-{number}" for number in range(count)]
        for name in names:
            self.tracer.start_span(name).end()
        return names


@pytest.fixture(params=["http/protobuf", "grpc"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def endpoint_of(otlp_receiver: OtlpReceiver) -> Callable[[str], dict[str, str]]:
    def endpoint(protocol: str) -> dict[str, str]:
        address = otlp_receiver.grpc_endpoint if protocol == "grpc" else otlp_receiver.http_endpoint
        return {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": address}

    return endpoint


@pytest.fixture
def tracing(protocol: str, endpoint_of: Callable[[str], dict[str, str]]) -> Iterator[Tracing]:
    made = Tracing(endpoint_of(protocol), PACE)
    yield made
    made.processor.close(0)


@pytest.fixture
def http_tracing(endpoint_of: Callable[[str], dict[str, str]]) -> Iterator[Callable[..., Tracing]]:
    made: list[Tracing] = []

    def make(pace: Pace = PACE, **options: Any) -> Tracing:
        variables = {f"OTEL_EXPORTER_OTLP_{name.upper()}": value for name, value in options.items()}
        made.append(Tracing(endpoint_of("http/protobuf") | variables, pace))
        return made[-1]

    yield make
    for tracing in made:
        tracing.processor.close(0)
