"""What may be counted, and under which values."""

import logging
import math
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.metrics import recording
from mita_otel.metrics.instrument import OURS, Counter, Histogram, closed
from mita_otel.metrics.recording import Distribution, Total

Points = Callable[[], dict[str, dict[tuple[str, ...], Any]]]

FRUIT = Counter(
    name="mita.fruit",
    unit="{fruit}",
    description="Fruit.",
    source=OURS,
    attributes=(closed("kind", "apple", "pear", "other"), closed("ripe", "yes", "no", "other")),
)
WAIT = Histogram(name="mita.wait", unit="s", description="Waits.", source=OURS, buckets=(1.0, 2.0))


@pytest.fixture(autouse=True)
def meter(provider: MeterProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instruments of this test's own provider."""
    monkeypatch.setattr(recording, "get_meter", provider.get_meter)


def test_every_combination_of_closed_sets_begins_at_zero(points: Points) -> None:
    Total(FRUIT)
    assert points()["mita.fruit"] == {
        (kind, ripe): 0 for kind in ("apple", "pear", "other") for ripe in ("yes", "no", "other")
    }


def test_a_value_out_of_its_set_counts_as_other_and_is_logged_once_without_the_value(
    points: Points, caplog: pytest.LogCaptureFixture
) -> None:
    total = Total(FRUIT)
    for kind in ("plum", "4111 1111 1111 1111", "fig"):
        total.add(kind=kind, ripe="yes")
    assert points()["mita.fruit"]["other", "yes"] == 3
    assert [record.getMessage() for record in caplog.records] == [
        "mita.fruit: a value of 'kind' that is not in its set was counted as 'other'"
    ]


class Kind(StrEnum):
    PEAR = "pear"


def test_a_member_of_an_enumeration_counts_into_the_series_of_its_value(reader: InMemoryMetricReader) -> None:
    total = Total(FRUIT)
    total.add(kind=Kind.PEAR, ripe="no")
    total.add(kind="pear", ripe="no")
    data = reader.get_metrics_data()
    assert data is not None
    series = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    pears = {"kind": "pear", "ripe": "no"}
    assert [getattr(point, "value", None) for point in series if point.attributes == pears] == [2]


@pytest.mark.parametrize(
    "amount", [-1, -0.01, math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal(-1), Decimal("Inf")]
)
def test_an_amount_that_cannot_be_added_up_is_left_out_and_logged(
    points: Points, caplog: pytest.LogCaptureFixture, amount: float | Decimal
) -> None:
    total = Total(FRUIT)
    total.add(2, kind="pear", ripe="no")
    total.add(amount, kind="pear", ripe="no")
    assert points()["mita.fruit"]["pear", "no"] == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_clock_that_was_set_back_makes_no_negative_duration(points: Points) -> None:
    distribution = Distribution(WAIT)
    distribution.record(-5.0)
    distribution.record(1.5)
    assert points()["mita.wait"] == {(): 1}


@given(st.lists(st.tuples(st.text(), st.floats(), st.text())))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_measurement_raises_and_no_series_is_added(points: Points, measured: list[tuple[str, float, str]]) -> None:
    total = Total(FRUIT)
    for kind, amount, ripe in measured:
        total.add(amount, kind=kind, ripe=ripe)
    assert len(points()["mita.fruit"]) == 9
