"""A delivery that fails says so once a minute, and once when it works again."""

import logging

import pytest

from mita_otel.export.statistics import Statistics
from mita_otel.export.summary import DeliverySummary

NOON = 1_700_000_000.0


@pytest.fixture
def summary(caplog: pytest.LogCaptureFixture) -> DeliverySummary:
    caplog.set_level(logging.INFO, "mita_otel.export")
    return DeliverySummary("traces", "http://c:4318/v1/traces")


def test_the_first_fault_is_told_at_once(summary: DeliverySummary, caplog: pytest.LogCaptureFixture) -> None:
    summary.fault("connection refused", Statistics(queued=1200), NOON, attempt=True)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("traces: 1 attempts failed since ")
    assert record.getMessage().endswith("(connection refused, http://c:4318/v1/traces), 1200 queued, 0 dropped")
    assert record.exc_info is None


def test_one_line_a_minute(summary: DeliverySummary, caplog: pytest.LogCaptureFixture) -> None:
    for second in range(121):
        summary.fault("timeout", Statistics(), NOON + second, attempt=True)
    assert [record.getMessage().split(" attempts")[0] for record in caplog.records] == [
        "traces: 1",
        "traces: 61",
        "traces: 121",
    ]


def test_recovery_is_told_once_with_what_was_lost(summary: DeliverySummary, caplog: pytest.LogCaptureFixture) -> None:
    summary.fault("timeout", Statistics(), NOON, attempt=True)
    summary.delivered(Statistics(dropped_queue_full=7), NOON + 31)
    summary.delivered(Statistics(dropped_queue_full=7), NOON + 32)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "after 31 s and 1 failed attempts, 7 lost" in caplog.records[1].getMessage()


def test_a_flapping_receiver_is_told_of_once_a_minute_too(
    summary: DeliverySummary, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(0, 60, 2):
        summary.fault("timeout", Statistics(), NOON + second, attempt=True)
        summary.delivered(Statistics(), NOON + second + 1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_losses_without_failed_attempts_are_told(summary: DeliverySummary, caplog: pytest.LogCaptureFixture) -> None:
    summary.fault("refused: HTTP 400", Statistics(refused=512), NOON)
    assert "trouble since" in caplog.text
    assert "0 dropped, 512 refused" in caplog.text


def test_a_quiet_delivery_says_nothing(summary: DeliverySummary, caplog: pytest.LogCaptureFixture) -> None:
    summary.delivered(Statistics(accepted=5), NOON)
    assert not caplog.records
