"""Series that rules derive."""

import pytest

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED, RENAMED, Renamed
from mita_otel.metrics.instrument import OURS, Counter, Histogram, closed

BOXES = Counter(
    name="boxes",
    unit="{box}",
    description="Boxes.",
    source=OURS,
    attributes=(closed("box.colour", "red"), closed("box.size", "s")),
)
WAITS = Histogram(name="waits", unit="s", description="Waits.", source=OURS, buckets=(1.0,))


def test_a_label_repeats_an_attribute_and_the_selection_names_values() -> None:
    renamed = Renamed(
        name="mita_boxes_total",
        source=BOXES,
        description="Boxes.",
        labels={"colour": "box.colour"},
        where={"box.size": "s", "box.colour": "!blue"},
    )
    assert renamed.records() == {
        "mita_boxes_total": (
            'label_replace(boxes_total{box_size="s", box_colour!="blue"}, "colour", "$1", "box_colour", "(.*)")'
        )
    }


def test_a_histogram_is_repeated_with_all_of_its_series() -> None:
    renamed = Renamed(name="mita_waits_seconds", source=WAITS, description="Waits.")
    assert renamed.records() == {
        "mita_waits_seconds_bucket": "waits_seconds_bucket",
        "mita_waits_seconds_sum": "waits_seconds_sum",
        "mita_waits_seconds_count": "waits_seconds_count",
    }


def test_a_histogram_may_become_the_counter_of_its_measurements() -> None:
    renamed = Renamed(name="mita_waits_total", source=WAITS, description="Waits.", count_only=True)
    assert renamed.records() == {"mita_waits_total": "waits_seconds_count"}


@pytest.mark.parametrize("row", RENAMED, ids=lambda row: row.name)
def test_every_attribute_that_a_rule_names_is_one_of_its_source(row: Renamed) -> None:
    assert {*row.labels.values(), *row.where} <= row.source.attribute_names


def test_no_derived_series_has_the_name_of_an_instrument() -> None:
    names = {instrument.prometheus_name for instrument in INSTRUMENTS.values()}
    assert [row.name for row in DERIVED if row.name in names] == []
    assert len({row.name for row in DERIVED}) == len(DERIVED)
