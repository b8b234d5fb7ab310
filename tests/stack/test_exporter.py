"""Our exporter against the real collector: what it will not take costs nothing that it would."""

import time
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource

from mita_otel.export import Outbox, OutboxLogRecordProcessor, Sender, Signal, open_sender, otlp_endpoint
from tests.fixtures.polling import eventually
from tests.stack.otlp import Backends, Span, trace_request

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

P = "OTEL_EXPORTER_OTLP_"
LARGEST_BODY = 32_768
"""Characters: the default of `MITA_LOG_BODY_LIMIT`."""


@pytest.fixture
def service() -> str:
    """A name that no other test sends under."""
    return f"svc-{uuid4().hex[:12]}"


@pytest.fixture(params=["http/protobuf", "grpc"])
def sender_for(request: pytest.FixtureRequest, backends: Backends) -> Callable[[Signal], Sender]:
    """Make the sender of a signal, for each protocol in turn."""
    url = backends.endpoints.otlp_grpc if request.param == "grpc" else backends.endpoints.otlp_http
    environment = {P + "PROTOCOL": request.param, P + "ENDPOINT": url}
    return lambda signal: open_sender(otlp_endpoint(environment, signal), signal)


@pytest.fixture
def outbox(sender_for: Callable[[Signal], Sender], service: str) -> Iterator[Outbox[str]]:
    """Spans by their names; the one called malformed has a trace id of seven bytes, which no encoder of ours makes."""

    def encode(names: Sequence[str]) -> bytes:
        spans = [Span(name, {}, trace_id=b"7 bytes" if name == "malformed" else b"") for name in names]
        payload: bytes = trace_request(service, *spans).SerializeToString()
        return payload

    outbox: Outbox[str] = Outbox(signal="traces", encode=encode, sender=sender_for("traces"))
    yield outbox
    outbox.close(0)


def test_a_malformed_span_costs_only_itself(outbox: Outbox[str], backends: Backends, service: str) -> None:
    names = [f"span {number}" for number in range(200)]
    for name in (*names[:150], "malformed", *names[150:]):
        outbox.put(name)
    assert not outbox.flush(20)
    counts = outbox.statistics()
    assert (counts.accepted, counts.refused, counts.queued) == (200, 1, 0)
    eventually(lambda: sorted(span["operationName"] for span in backends.spans(service)) == sorted(names), timeout=20)


def test_as_many_of_the_largest_log_records_as_a_batch_holds_arrive(
    sender_for: Callable[[Signal], Sender], backends: Backends, service: str
) -> None:
    processor = OutboxLogRecordProcessor(sender_for("logs"))
    provider = LoggerProvider(Resource({"service.name": service}), shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("test")
    for number in range(200):
        logger.emit(LogRecord(timestamp=time.time_ns(), body=f"{number} ".ljust(LARGEST_BODY, "y")))
    assert processor.force_flush(20_000)
    provider.shutdown()
    assert processor.statistics().accepted == 200
    eventually(lambda: len(backends.logs(f'{{service_name="{service}"}}')) == 200, timeout=30)
