"""The last export of a process: left out if all that was measured is the process itself."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExporter, MetricExportResult, MetricsData

from mita_otel.exporters import LastWords
from mita_otel.metrics.runtime import METER


class Spoken(MetricExporter):
    def __init__(self) -> None:
        super().__init__()
        self.exports = 0

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> MetricExportResult:
        self.exports += 1
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None: ...


def _measured(scope: str, value: int) -> MetricsData:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter(scope).create_counter("count").add(value)
    collected = reader.get_metrics_data()
    assert collected is not None
    return collected


def _exports(*collections: MetricsData, before: tuple[MetricsData, ...] = ()) -> int:
    spoken = Spoken()
    last = LastWords(spoken)
    for collection in before:
        last.export(collection)
    last.begin(1)
    for collection in collections:
        last.export(collection)
    return spoken.exports


@pytest.mark.parametrize("scope", [METER, "mita_otel.export", "opentelemetry.sdk"])
def test_what_is_about_the_process_alone_is_left_out(scope: str) -> None:
    assert _exports(_measured(scope, 7)) == 0


def test_a_count_of_what_never_happened_is_left_out() -> None:
    assert _exports(_measured("mita_otel.metrics.timeouts", 0)) == 0


@pytest.mark.parametrize("scope", ["application", "mita_otel.metrics.timeouts", "mita_otel.libraries.faults"])
def test_what_happened_is_told(scope: str) -> None:
    assert _exports(_measured(scope, 1)) == 1


def test_who_has_spoken_before_says_the_end_too() -> None:
    assert _exports(_measured(METER, 7), before=(_measured(METER, 7),)) == 2
