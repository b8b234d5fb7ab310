"""Metrics survive an outage because their sums go on."""

from collections.abc import Callable

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from mita_otel.export import OtlpMetricExporter, open_sender, otlp_endpoint
from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.integration.export.conftest import PACE


@pytest.fixture
def meters(protocol: str, endpoint_of: Callable[[str], dict[str, str]]) -> MeterProvider:
    sender = open_sender(otlp_endpoint(endpoint_of(protocol), "metrics"), "metrics")
    exporter = OtlpMetricExporter(sender, pace=PACE)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"), export_timeout_millis=500)
    return MeterProvider([reader], shutdown_on_exit=False)


def test_a_counter_is_right_after_an_outage(meters: MeterProvider, otlp_receiver: OtlpReceiver) -> None:
    counter = meters.get_meter("test").create_counter("things")
    counter.add(1)
    meters.force_flush(2000)
    otlp_receiver.stop()
    counter.add(1)
    meters.force_flush(2000)
    otlp_receiver.start()
    counter.add(1)
    meters.force_flush(2000)
    meters.shutdown()
    assert [point["value"] for point in otlp_receiver.metric_points("things")] == [1, 3]
