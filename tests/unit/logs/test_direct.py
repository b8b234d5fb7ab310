"""A record on the direct path is the record of the SDK's path, field by field, whatever it holds."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits, LogRecordProcessor
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.environment_variables import OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from mita_otel import correlation
from mita_otel.export import Accepted, OutboxLogRecordProcessor, Outcome
from mita_otel.logs import Installed, install
from mita_otel.logs.handler import EntryHandler

RESOURCE = Resource({"service.name": "shop"}, schema_url="https://schema.test/1")
logger = logging.getLogger("shop.direct")


class Receiver:
    destination = "http://receiver.test"

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def send(self, payload: bytes, timeout: float) -> Outcome:
        self.payloads.append(payload)
        return Accepted()

    def close(self) -> None: ...


class Both:
    """Two installations for each record: one goes the direct path, one the SDK's."""

    def __init__(self, limits: LogRecordLimits | None = None) -> None:
        self.receiver, self.exporter = Receiver(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the SDK's
        self.reader = InMemoryMetricReader()
        self.outbox = OutboxLogRecordProcessor(self.receiver)
        self.provider = LoggerProvider(
            RESOURCE,
            shutdown_on_exit=False,
            log_record_limits=limits,
            meter_provider=MeterProvider([self.reader], shutdown_on_exit=False),
        )
        self.provider.add_log_record_processor(self.outbox)
        sdk = LoggerProvider(RESOURCE, shutdown_on_exit=False, log_record_limits=limits)
        sdk.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))
        self._sdk = self._install(sdk, None)
        self.direct = self._install(self.provider, self.outbox)

    def _install(self, provider: LoggerProvider, outbox: OutboxLogRecordProcessor | None) -> Installed:
        return install(
            logger_provider=provider,
            resource=lambda: RESOURCE,
            outbox=outbox,
            format="json",
            level="DEBUG",
            stream=io.StringIO,
        )

    def flush(self) -> None:
        assert self.direct.flush()
        assert self._sdk.flush()
        assert self.outbox.force_flush(5000)

    def records(self) -> tuple[list[Any], list[Any]]:
        """Return what went out, by the direct path and by the SDK's, without the times of observation."""
        self.flush()
        joined = ExportLogsServiceRequest.FromString(b"".join(self.receiver.payloads))
        found = _plain(joined), _plain(encode_logs(self.exporter.get_finished_logs()))
        self.receiver.payloads.clear()
        self.exporter.clear()
        return found

    def close(self) -> None:
        self.direct.undo()
        self._sdk.undo()
        self.outbox.close(1)


def _plain(request: ExportLogsServiceRequest) -> list[Any]:
    plain = []
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                record.observed_time_unix_nano = 0
                # An order that means nothing.
                attributes = sorted(record.attributes, key=lambda one: one.key)
                del record.attributes[:]
                plain.append(
                    (
                        resource.resource.SerializeToString(deterministic=True),
                        resource.schema_url,
                        scope.scope.SerializeToString(deterministic=True),
                        str(record),
                        [str(one) for one in attributes],
                    )
                )
    return plain


@pytest.fixture
def handlers() -> Iterator[None]:
    saved = list(logging.root.handlers), logging.root.level
    logging.root.handlers[:] = []
    yield
    logging.root.handlers[:], logging.root.level = saved
    assert not any(isinstance(one, EntryHandler) for one in logging.root.handlers)


@pytest.fixture
def both(handlers: None) -> Iterator[Both]:
    made = Both()
    yield made
    made.close()


def test_the_paths_are_told_apart(both: Both) -> None:
    assert both.direct.path == "direct"
    assert both._sdk.path == "sdk"


def test_a_record_with_everything_is_the_same(both: Both) -> None:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("serve")
    token = correlation.bind("order-7")
    with trace.use_span(span, end_on_exit=True):
        try:
            raise KeyError("stock")  # noqa: TRY301 - the record under test
        except KeyError:
            logger.exception(
                "caf\u00e9 %s", 7, extra={"order": {"lines": [1, 2.5, None, "x"]}, "login": "x"}, stack_info=True
            )
    correlation.unbind(token)

    direct, sdk = both.records()
    assert len(direct) == 1
    assert direct == sdk


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    message=st.text(st.characters()),
    level=st.integers(1, 70),
    extras=st.dictionaries(st.text(st.characters()).map("x{}".format), _ANY, max_size=5),
)
def test_any_record_is_the_same(both: Both, message: str, level: int, extras: dict[str, Any]) -> None:
    logger.setLevel(1)
    logger.log(level, message, extra=extras)

    direct, sdk = both.records()
    assert len(direct) == 1
    assert direct == sdk


@pytest.mark.filterwarnings("ignore:Log record attributes were dropped")
@pytest.mark.parametrize("limit", [4, 20, 35])
def test_of_a_record_with_too_many_attributes_the_same_are_dropped(
    handlers: None, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "opentelemetry.attributes")  # the SDK speaks of each that it drops
    both = Both(LogRecordLimits(max_log_record_attributes=limit))
    logger.warning("x", extra={f"x{number}": number for number in range(30)})
    direct, sdk = both.records()
    both.close()

    assert direct == sdk
    assert "dropped_attributes_count" in direct[0][3]


def test_records_are_counted_as_the_sdk_counts_them(handlers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED, "true")
    both = Both()
    for _ in range(7):
        logger.warning("x")
    both.flush()
    both.close()

    data = both.reader.get_metrics_data()
    assert data is not None
    points = {metric.name: metric.data.data_points[0] for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert getattr(points["otel.sdk.log.created"], "value", None) == 7


class Curious(LogRecordProcessor):
    """A processor of the user's, that wants to know the context of the call."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_emit(self, log_record: Any) -> None:
        from opentelemetry.baggage import get_baggage  # noqa: PLC0415 - as users' processors do

        self.seen.append((log_record.log_record.body, get_baggage("tenant")))

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True


def test_a_processor_that_is_added_later_sees_every_record_in_the_context_of_its_call(both: Both) -> None:
    logger.warning("before")
    both.flush()
    curious = Curious()
    both.provider.add_log_record_processor(curious)
    token = attach(set_baggage("tenant", "t7"))
    logger.warning("after")
    detach(token)

    direct, sdk = both.records()
    assert both.direct.path == "sdk"
    assert curious.seen == [("after", "t7")]
    assert len(direct) == len(sdk) == 2
    assert direct == sdk
