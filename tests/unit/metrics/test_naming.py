"""Names in Prometheus, by the rules of its default translation."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.instrument import Counter, Gauge, Histogram, UpDownCounter
from mita_otel.metrics.naming import Kind, prometheus_label, prometheus_name

KINDS: tuple[Kind, ...] = ("counter", "up-down counter", "gauge", "histogram")


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("mita_http_requests_total", "{request}", "counter", "mita_http_requests_total"),
        ("mita.http.requests", "1", "counter", "mita_http_requests_total"),
        ("mita.http.requests.total", "", "counter", "mita_http_requests_total"),
        ("mita_http_request_duration_seconds", "s", "histogram", "mita_http_request_duration_seconds"),
        ("mita_http_request_duration_seconds", "ms", "histogram", "mita_http_request_duration_seconds_milliseconds"),
        ("mita_database_connections_active", "1", "up-down counter", "mita_database_connections_active"),
        ("mita_database_connections_active", "1", "gauge", "mita_database_connections_active_ratio"),
        ("mita_cpu_usage_percent", "%", "gauge", "mita_cpu_usage_percent"),
        ("mita_memory_usage_bytes", "By", "gauge", "mita_memory_usage_bytes"),
        ("mita_transaction_amount_total", "{USD}", "counter", "mita_transaction_amount_total"),
        ("mita_transaction_amount_total", "USD", "counter", "mita_transaction_amount_USD_total"),
        ("disk.speed", "By/s", "gauge", "disk_speed_bytes_per_second"),
        ("disk.speed", "{operation}/s", "gauge", "disk_speed_per_second"),
        ("5xx..responses", "{response}", "gauge", "_5xx_responses"),
    ],
)
def test_a_name_is_what_prometheus_was_seen_to_make_of_it(name: str, unit: str, kind: Kind, expected: str) -> None:
    assert prometheus_name(name, unit, kind) == expected


@given(st.from_regex(r"[a-z][a-zA-Z0-9._/-]{0,60}", fullmatch=True), st.text(max_size=12), st.sampled_from(KINDS))
def test_any_name_and_unit_make_a_name_that_prometheus_takes(name: str, unit: str, kind: Kind) -> None:
    translated = prometheus_name(name, unit, kind)
    assert re.fullmatch("[a-zA-Z_:][a-zA-Z0-9_:]*", translated)
    assert prometheus_name(translated, "", kind) == translated


def test_a_label_has_no_dots() -> None:
    assert prometheus_label("http.response.status_code") == "http_response_status_code"


def test_the_pull_endpoint_gives_the_catalogues_instruments_the_same_names() -> None:
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry)
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    meter = provider.get_meter("test")
    for instrument in INSTRUMENTS.values():
        match instrument:
            case Counter():
                instrument.create(meter).add(1)
            case UpDownCounter():
                meter.create_up_down_counter(instrument.name, instrument.unit).add(1)
            case Gauge():
                meter.create_gauge(instrument.name, instrument.unit).set(1)
            case Histogram():
                instrument.create(meter).record(1)
    text = generate_latest(registry).decode()
    provider.shutdown()
    served = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) - {"target_info"}
    assert served == {instrument.prometheus_name for instrument in INSTRUMENTS.values()}
