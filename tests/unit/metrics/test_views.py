"""What the Views make of instruments, whoever made them."""

from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.catalogue.http import SERVER_REQUEST_DURATION
from mita_otel.metrics.instrument import Histogram
from mita_otel.metrics.views import views

HISTOGRAMS = [instrument for instrument in INSTRUMENTS.values() if isinstance(instrument, Histogram)]


def _points(meter: str, name: str, attributes: dict[str, Any], *, explicit_buckets: bool = True) -> list[Any]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(
        metric_readers=[reader], views=views(explicit_buckets=explicit_buckets), shutdown_on_exit=False
    )
    provider.get_meter(meter).create_histogram(name).record(1, attributes)
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]


@pytest.mark.parametrize("instrument", HISTOGRAMS, ids=lambda instrument: instrument.name)
def test_a_histogram_has_the_tables_buckets_whoever_made_it(instrument: Histogram) -> None:
    (point,) = _points("any", instrument.name, {})
    assert point.explicit_bounds == instrument.buckets


def test_what_a_client_can_make_up_is_no_attribute_of_a_server_metric() -> None:
    sent = {"http.route": "/x", "server.address": "evil.example", "url.path": "/x/1", "user_agent.original": "x"}
    (point,) = _points("fastapi", SERVER_REQUEST_DURATION.name, sent)
    assert point.attributes == {"http.route": "/x"}


def test_without_explicit_buckets_a_histogram_keeps_the_exporters_aggregation() -> None:
    (point,) = _points("fastapi", SERVER_REQUEST_DURATION.name, {}, explicit_buckets=False)
    assert point.explicit_bounds != SERVER_REQUEST_DURATION.buckets
