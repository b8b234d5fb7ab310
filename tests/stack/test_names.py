"""The names that the reference page promises are those that the real Prometheus gives."""

from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED
from mita_otel.metrics.instrument import Counter, Gauge, Histogram, Instrument, UpDownCounter
from mita_otel.metrics.naming import prometheus_label
from tests.stack.otlp import Backends

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]


def _feed(provider: MeterProvider) -> None:
    meter = provider.get_meter("test")
    for instrument in INSTRUMENTS.values():
        attributes = {attribute.name: "x" for attribute in instrument.attributes}
        match instrument:
            case Counter():
                instrument.create(meter).add(1, attributes)
            case UpDownCounter():
                meter.create_up_down_counter(instrument.name, instrument.unit).add(1, attributes)
            case Gauge():
                meter.create_gauge(instrument.name, instrument.unit).set(1, attributes)
            case Histogram():
                instrument.create(meter).record(1, attributes)


def _series(instrument: Instrument) -> str:
    """The name of a series that an instrument has whatever is measured."""
    return f"{instrument.prometheus_name}_count" if isinstance(instrument, Histogram) else instrument.prometheus_name


def test_prometheus_names_every_instrument_and_attribute_as_the_catalogue_says(
    backends: Backends, eventually: Callable[..., object]
) -> None:
    service = f"names-{uuid4().hex[:8]}"
    exporter = OTLPMetricExporter(endpoint=f"{backends.endpoints.otlp_http}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], Resource({"service.name": service}), shutdown_on_exit=False)
    _feed(provider)
    assert provider.force_flush()
    expected = {
        _series(instrument): {prometheus_label(name) for name in instrument.attribute_names}
        for instrument in INSTRUMENTS.values()
    }

    def named() -> dict[str, set[str]]:
        query = {"match[]": f'{{service_name="{service}"}}'}
        answer = httpx.get(f"{backends.endpoints.prometheus}/api/v1/series", params=query).json()
        return {labels["__name__"]: set(labels) for labels in answer["data"]}

    eventually(lambda: expected.keys() <= named().keys())
    provider.shutdown()
    # Rules may have recorded what they derive from these by now: that is another test's.
    derived = {name for each in DERIVED for name in each.records()}
    seen = {name: labels for name, labels in named().items() if name not in derived}
    assert {name: labels - seen[name] for name, labels in expected.items() if labels - seen[name]} == {}
    assert {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in seen} == {
        name.removesuffix("_count") for name in expected
    } | ({"target_info"} & seen.keys())
