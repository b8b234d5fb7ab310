"""What was lost is counted by place, reason and stream, and told once a minute, whatever the time of day does."""

import logging

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from mita_otel.logs.files import DESTINATIONS
from mita_otel.logs.losses import INTERVAL, QUEUE, STDOUT, Loss, Losses
from mita_otel.logs.streams import STREAMS
from mita_otel.metrics.catalogue.telemetry import LOG_LOST


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_records_are_told_once_a_minute_and_when_it_is_over(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    losses = Losses(clock)
    losses.tell()
    for moment in range(100):
        losses.add("mita.log", "write_failed", "application")
        losses.add(QUEUE, "queue_full", "audit")
        losses.last_error = "mita.log: No space left on device"
        clock.now = 100 + moment
        losses.tell()
    clock.now += INTERVAL
    losses.tell()
    clock.now += INTERVAL
    losses.tell()
    losses.tell()

    last = "; last error: mita.log: No space left on device"
    assert [record.getMessage() for record in caplog.records] == [
        f"2 log records lost so far: 1 queue (queue_full), 1 mita.log (write_failed){last}",
        f"122 log records lost so far: 61 queue (queue_full), 61 mita.log (write_failed){last}",
        f"200 log records lost so far: 100 queue (queue_full), 100 mita.log (write_failed){last}",
        "all log records are written again; 200 were lost",
    ]


def test_the_metric_begins_at_zero_and_counts_by_place_reason_and_stream() -> None:
    reader, losses = InMemoryMetricReader(), Losses()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    losses.expect(STDOUT, "stalled")
    losses.observe(provider)
    losses.add(STDOUT, "stalled", "audit")

    data = reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "mita.log.lost"
    found = {
        (point.attributes["mita.log.destination"], point.attributes["mita.log.stream"]): point.value
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint) and point.attributes is not None
    }
    assert found == {
        **{(place, stream): 0 for place in (QUEUE, STDOUT) for stream in STREAMS},
        (STDOUT, "audit"): 1,
    }


def test_the_catalogue_knows_every_destination() -> None:
    attribute = LOG_LOST.attribute("mita.log.destination")
    assert attribute is not None
    assert set(attribute.values) == {QUEUE, STDOUT, *(one.name for one in DESTINATIONS)}


def test_counts_of_several_losses_are_kept_apart() -> None:
    losses = Losses()
    losses.add("errors.log", "locked", "security")
    losses.add("errors.log", "locked", "security")

    assert losses.counts()[Loss("errors.log", "locked", "security")] == 2


def test_a_forked_child_counts_from_zero() -> None:
    losses = Losses()
    losses.expect(STDOUT, "stalled")
    losses.add(STDOUT, "stalled", "audit")
    losses.begin_anew()

    assert set(losses.counts().values()) == {0}
    assert Loss(STDOUT, "stalled", "audit") in losses.counts()
