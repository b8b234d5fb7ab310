"""The bridge with a transport that keeps what it is given, and everything undone afterwards."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from mita_otel.sentry import bridge
from mita_otel.settings import Settings
from mita_otel.traces.request import RequestSpanProcessor

DSN = "http://public@127.0.0.1:9/1"


class Kept(Transport):
    """What would have gone over the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            if item.type in {"event", "transaction"}:
                self.items.append(json.loads(item.get_bytes()))

    @property
    def text(self) -> str:
        return json.dumps(self.items)

    def event(self) -> dict[str, Any]:
        (only,) = self.items
        return only


class Bridge:
    """A bridge in this process."""

    def __init__(self, transport: Kept, provider: TracerProvider, undo: Callable[[], None]) -> None:
        self.sent = transport
        self.undo = undo
        self.tracer = provider.get_tracer("test")
        self.client = sentry_sdk.get_client()


Start = Callable[..., Bridge]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the bridge with settings and a resource."""
    undo: list[Callable[[], None]] = []

    def begin(variables: Mapping[str, str] | None = None, resource: Mapping[str, str] | None = None) -> Bridge:
        transport = Kept()
        provider = TracerProvider(
            resource=Resource({"service.name": "shop", **(resource or {})}), shutdown_on_exit=False
        )
        provider.add_span_processor(RequestSpanProcessor())
        settings = Settings.read({"SENTRY_DSN": DSN, "MITA_STRICT": "true", **(variables or {})})
        undo.append(bridge(settings, provider, NoOpMeterProvider(), transport=transport).undo)
        return Bridge(transport, provider, undo[-1])

    with sentry_sdk.isolation_scope():
        yield begin
    for each in undo:
        each()
