"""Metrics written directly decode to what the official encoder writes."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics as official
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
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

LARGEST = 2**63 - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-(2**63), LARGEST)
counts = st.integers(0, 2**63)
floats = st.floats(allow_nan=False)
numbers = st.one_of(integers, floats)
values = st.one_of(texts, integers, floats, st.booleans(), st.lists(texts, max_size=3), st.binary(max_size=5))
attributes = st.dictionaries(texts.filter(bool), values, max_size=4)
exemplars = st.lists(
    st.builds(
        Exemplar,
        st.one_of(st.none(), attributes),
        numbers,
        counts,
        st.one_of(st.none(), st.integers(1, 2**64 - 1)),
        st.one_of(st.none(), st.integers(1, 2**128 - 1)),
    ),
    max_size=3,
)
buckets = st.builds(Buckets, st.integers(-1000, 1000), st.lists(counts, max_size=5))
temporalities = st.sampled_from([AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
gauge_points = st.lists(
    st.builds(NumberDataPoint, attributes, st.none(), counts, numbers, exemplars), min_size=1, max_size=3
)
number_points = st.lists(
    st.builds(NumberDataPoint, attributes, counts, counts, numbers, exemplars), min_size=1, max_size=3
)
histogram_points = st.lists(
    st.builds(
        HistogramDataPoint,
        attributes, counts, counts, counts, floats, st.lists(counts, max_size=5), st.lists(floats, max_size=5),
        floats, floats, exemplars,
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
exponential_points = st.lists(
    st.builds(
        ExponentialHistogramDataPoint,
        attributes, counts, counts, counts, floats, st.integers(-10, 20), counts, buckets, buckets,
        st.integers(0, 3), floats, floats, exemplars,
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
metrics = st.builds(
    Metric,
    texts,
    texts,
    texts,
    st.one_of(
        st.builds(Gauge, gauge_points),
        st.builds(Sum, number_points, temporalities, st.booleans()),
        st.builds(Histogram, histogram_points, temporalities),
        st.builds(ExponentialHistogram, exponential_points, temporalities),
    ),
)


def _collection(found: Sequence[Metric], **scope: Any) -> MetricsData:
    resource = Resource({"service.name": "shop"}, "https://example.com/schema")
    scopes = [
        ScopeMetrics(InstrumentationScope("one", "1.0", **scope), found, scope.get("schema_url", "")),
        ScopeMetrics(InstrumentationScope("two"), list(found[:1]), ""),
    ]
    return MetricsData([ResourceMetrics(resource, scopes, resource.schema_url)])


def _official(data: MetricsData) -> ExportMetricsServiceRequest:
    """What the official encoder writes, where no point is as young as its series."""
    request = official(data)
    for of_resource in request.resource_metrics:
        for metric in (metric for scope in of_resource.scope_metrics for metric in scope.metrics):
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                if (
                    point.start_time_unix_nano
                    and 0 < point.start_time_unix_nano + 1_000_000 - point.time_unix_nano <= 10**9
                ):
                    point.time_unix_nano = point.start_time_unix_nano + 1_000_000
    return request


@given(st.lists(metrics, min_size=1, max_size=4))
def test_a_collection_decodes_to_what_the_official_encoder_writes(found: list[Metric]) -> None:
    data = _collection(found, schema_url="https://example.com/scope")
    encoded, lost = encode_metrics(data)
    assert ExportMetricsServiceRequest.FromString(encoded) == _official(data)
    assert lost == 0


def test_a_point_that_has_no_form_is_lost_alone_and_counted() -> None:
    points = [NumberDataPoint({"n": str(value)}, 1, 2, value, []) for value in (1, LARGEST + 1, 3)]
    data = _collection([Metric("total", "", "", Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True))])
    encoded, lost = encode_metrics(data)
    first, _ = ExportMetricsServiceRequest.FromString(encoded).resource_metrics[0].scope_metrics
    assert [point.as_int for point in first.metrics[0].sum.data_points] == [1, 3]
    assert lost == 2, "once in each of the two scopes"


MILLISECOND, SECOND = 10**6, 10**9
NOON = 1_800_000_000 * SECOND


@pytest.mark.parametrize(
    ("collected", "told"),
    [
        (NOON, NOON + MILLISECOND),
        (NOON + MILLISECOND - 1, NOON + MILLISECOND),
        (NOON - 5 * MILLISECOND, NOON + MILLISECOND),
        (NOON + MILLISECOND, NOON + MILLISECOND),
        (NOON + 60 * SECOND, NOON + 60 * SECOND),
        (NOON - 3600 * SECOND, NOON - 3600 * SECOND),
    ],
    ids=["at once", "within the millisecond", "meanwhile", "a millisecond later", "a minute later", "clock set back"],
)
def test_a_series_begins_a_millisecond_before_its_first_value(collected: int, told: int) -> None:
    point = NumberDataPoint({}, NOON, collected, 1, [])
    data = _collection([Metric("total", "", "", Sum([point], AggregationTemporality.CUMULATIVE, is_monotonic=True))])
    encoded, _ = encode_metrics(data)
    [first, _] = ExportMetricsServiceRequest.FromString(encoded).resource_metrics[0].scope_metrics
    [written] = first.metrics[0].sum.data_points
    assert (written.start_time_unix_nano, written.time_unix_nano) == (NOON, told)
