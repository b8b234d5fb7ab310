"""Data points, their series and their exemplars."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m

from mita_otel.console.store import points
from mita_otel.console.store.writing import Signal, Store
from tests.fixtures.otlp_requests import gauge, pairs, span_id, trace_id
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]
METRICS = Signal.METRICS
NOW = time.time_ns() // 1000


def test_a_gauge_is_a_value_of_a_series(write: Write, rows: Rows) -> None:
    assert write(METRICS, gauge("temperature", 21.5, at=NOW, room="attic")).accepted == 1
    assert rows("SELECT time, start, value, body FROM points") == [(NOW, 0, 21.5, None)]
    assert rows("SELECT service, name, unit, kind, monotonic, temporality FROM instruments") == [
        ("shop", "temperature", "Cel", "gauge", 0, 0)
    ]
    assert json.loads(rows("SELECT attributes FROM series")[0]) == {"room": "attic"}


def test_a_sum_tells_how_it_adds_up(write: Write, rows: Rows) -> None:
    made = m.Metric(name="requests", unit="{request}", description="Requests.")
    made.sum.is_monotonic = True
    made.sum.aggregation_temporality = m.AGGREGATION_TEMPORALITY_CUMULATIVE
    made.sum.data_points.add(time_unix_nano=NOW * 1000, start_time_unix_nano=(NOW - 60) * 1000, as_int=42)
    write(METRICS, made)
    assert rows("SELECT kind, monotonic, temporality, description FROM instruments") == [("sum", 1, 2, "Requests.")]
    assert rows("SELECT start, value FROM points") == [(NOW - 60, 42.0)]


@pytest.mark.parametrize("kind", ["histogram", "exponential_histogram", "summary"])
def test_a_distribution_keeps_its_point_without_what_is_stored_elsewhere(write: Write, rows: Rows, kind: str) -> None:
    made = m.Metric(name="duration", unit="s")
    point = getattr(made, kind).data_points.add(time_unix_nano=NOW * 1000, count=3, sum=1.5)
    bare = type(point)()
    bare.CopyFrom(point)
    point.attributes.extend(pairs({"route": "/"}))
    if kind != "summary":
        point.exemplars.add(time_unix_nano=NOW * 1000, as_double=0.7, trace_id=trace_id(), span_id=span_id())
    write(METRICS, made)
    assert rows("SELECT value, body FROM points") == [(3.0, bare.SerializeToString())]
    assert rows("SELECT kind FROM instruments") == [kind]


def test_an_exemplar_leads_to_its_span(write: Write, rows: Rows) -> None:
    made = gauge(at=NOW)
    exemplar = made.gauge.data_points[0].exemplars.add(as_int=7, trace_id=trace_id(), span_id=span_id())
    write(METRICS, made)
    assert rows("SELECT time, value, trace, span FROM exemplars") == [(NOW, 7.0, exemplar.trace_id, exemplar.span_id)]


@pytest.mark.parametrize("value", [float("nan"), None])
def test_what_is_no_number_is_no_value(write: Write, rows: Rows, value: float | None) -> None:
    made = gauge(value=1.0 if value is None else value)
    if value is None:
        made.gauge.data_points[0].flags = m.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
    write(METRICS, made)
    assert rows("SELECT value FROM points") == [None]


def test_the_order_of_attributes_does_not_make_a_series(write: Write, rows: Rows) -> None:
    write(METRICS, gauge(at=1, a="1", b="2"), gauge(at=2, b="2", a="1"), gauge(at=3, a=1, b="2"))
    assert rows("SELECT count(*) FROM points GROUP BY series ORDER BY series") == [2, 1]


def test_of_two_points_of_a_time_the_later_counts(write: Write, rows: Rows) -> None:
    write(METRICS, gauge(value=1.0, at=NOW), gauge(value=2.0, at=NOW))
    assert rows("SELECT value FROM points") == [2.0]


def test_a_point_without_time_has_that_of_its_arrival(write: Write, rows: Rows) -> None:
    write(METRICS, gauge(at=0))
    assert rows("SELECT time FROM points")[0] >= NOW


def test_series_beyond_the_limit_are_refused_and_those_before_go_on(
    write: Write, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "SERIES_LIMIT", 3)
    outcome = write(METRICS, *(gauge(number=number) for number in range(5)))
    assert (outcome.accepted, outcome.refused) == (3, 2)
    assert write(METRICS, gauge(number=2)).accepted == 1
    assert rows("SELECT count(*) FROM series") == [3]


def test_instruments_beyond_the_limit_are_refused_and_those_before_go_on(
    write: Write, rows: Rows, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "INSTRUMENTS_LIMIT", 3)
    assert write(METRICS, *(gauge(f"number{number}") for number in range(5))).refused == 2
    store.forget_names()
    outcome = write(METRICS, *(gauge(f"number{number}") for number in range(5)))
    assert (outcome.accepted, outcome.refused) == (3, 2)
    assert rows("SELECT count(*) FROM instruments") == [3]


def test_a_malformed_metric_costs_itself_alone(write: Write) -> None:
    outcome = write(METRICS, gauge(), b"\x0a\xff", gauge("NAME").SerializeToString().replace(b"NAME", b"N\xffME"))
    assert (outcome.accepted, outcome.refused) == (1, 2)


def test_a_metric_without_data_is_nothing(write: Write, rows: Rows) -> None:
    outcome = write(METRICS, m.Metric(name="empty"))
    assert (outcome.accepted, outcome.refused) == (0, 0)
    assert rows("SELECT count(*) FROM instruments") == [0]


def test_a_changed_description_stays_one_instrument(write: Write, rows: Rows) -> None:
    made = gauge()
    for made.description in ("old", "new"):
        write(METRICS, made)
    assert rows("SELECT description FROM instruments") == ["new"]
