"""What could not be delivered is counted by reason, and told once a minute."""

import logging
from pathlib import Path

import pytest
import sentry_sdk
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.envelope import Envelope

from mita_otel.sentry import bridge
from mita_otel.sentry.losses import REASONS, Losses, delivering
from mita_otel.settings import Settings
from tests.fixtures.polling import eventually, find_free_port


def _counted(reader: InMemoryMetricReader) -> dict[str, int]:
    data = reader.get_metrics_data()
    points = [
        point
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "mita.sentry.reports.lost"
        for point in metric.data.data_points
    ]
    return {str((point.attributes or {})["error.type"]): int(getattr(point, "value", 0)) for point in points}


def test_a_report_that_no_server_takes_is_counted_from_zero() -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    settings = Settings.read({"SENTRY_DSN": f"http://key@127.0.0.1:{find_free_port()}/1", "MITA_STRICT": "true"})
    bridged = bridge(settings, TracerProvider(shutdown_on_exit=False), meters)
    try:
        assert _counted(reader) == {"queue_full": 0, "network": 0, "refused": 0, "failed": 0}
        sentry_sdk.capture_message("lost")
        assert eventually(lambda: _counted(reader)["network"]) == 1
    finally:
        bridged.undo()
        meters.shutdown()


@pytest.mark.parametrize(
    ("reason", "category", "counted"),
    [
        ("queue_overflow", "error", 1),
        ("sample_rate", "transaction", 0),
        ("network_error", "span", 0),
        ("other", "error", 0),
    ],
)
def test_what_is_dropped_on_purpose_and_what_is_part_of_a_report_is_no_loss(
    reason: str, category: str, counted: int
) -> None:
    losses = Losses()
    client = sentry_sdk.Client("http://key@127.0.0.1:9/1", default_integrations=False, transport=delivering(losses))
    assert client.transport is not None
    client.transport.record_lost_event(reason, data_category=category)  # type: ignore[arg-type] # the SDK's names
    client.transport.kill()
    assert sum(losses.counts().values()) == counted


def test_a_report_that_was_refused_counts_by_its_item() -> None:
    losses = Losses()
    client = sentry_sdk.Client("http://key@127.0.0.1:9/1", default_integrations=False, transport=delivering(losses))
    envelope = Envelope()
    envelope.add_event({"message": "x"})
    assert client.transport is not None
    client.transport.record_lost_event("send_error", item=envelope.items[0])
    client.transport.kill()
    assert losses.counts()["refused"] == 1


def test_losses_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    losses = Losses(lambda: now[0])
    with caplog.at_level(logging.WARNING, "mita_otel.sentry"):
        for now[0] in (0.0, 1.0, 59.9, 60.0, 61.0):
            losses.add("network")
    assert [record.getMessage() for record in caplog.records] == [
        "1 reports to Sentry lost so far; the last one: network",
        "4 reports to Sentry lost so far; the last one: network",
    ]


def test_the_sdk_still_knows_these_reasons() -> None:
    source = Path(sentry_sdk.transport.__file__).read_text()
    assert [reason for reason in REASONS if f'"{reason}"' not in source] == []
