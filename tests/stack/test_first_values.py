"""A first value is an increase from zero, however soon after its beginning it was collected."""

import time
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.export.metric_record import encode_metrics
from tests.fixtures.polling import eventually
from tests.stack.otlp import Backends

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

SECOND = 10**9


def _send(backends: Backends, service: str, start: int, collected: int, value: int) -> None:
    """Send one point of a counter, as the exporter would."""
    point = NumberDataPoint({}, start, collected, value, [])
    total = Metric("first.values", "", "{thing}", Sum([point], AggregationTemporality.CUMULATIVE, is_monotonic=True))
    resource = Resource({"service.name": service, "service.instance.id": "one"})
    scopes = [ScopeMetrics(InstrumentationScope("test"), [total], "")]
    body, _ = encode_metrics(MetricsData([ResourceMetrics(resource, scopes, "")]))
    headers = {"content-type": "application/x-protobuf"}
    httpx.post(f"{backends.endpoints.otlp_http}/v1/metrics", content=body, headers=headers).raise_for_status()


@pytest.mark.parametrize("later", [0, -3_000_000], ids=["in the same moment", "while a collection is under way"])
def test_what_began_as_it_was_collected_is_counted_from_zero(backends: Backends, later: int) -> None:
    service, start = f"first-{uuid4().hex[:8]}", time.time_ns() - 5 * SECOND

    def asked(query: str) -> list[float]:
        counter = f'first_values_total{{service_name="{service}"}}'
        url = f"{backends.endpoints.prometheus}/api/v1/query"
        found = httpx.get(url, params={"query": query.replace("@", counter)}).json()["data"]["result"]
        return [float(each["value"][1]) for each in found]

    _send(backends, service, start, start + later, 1)
    # One is stored before the next is sent: Prometheus takes what comes together for one thing.
    eventually(lambda: asked("last_over_time(@[1m])") == [1.0])
    _send(backends, service, start, start + 2 * SECOND, 4)
    eventually(lambda: asked("increase(@[1m] anchored)") == [4.0])
