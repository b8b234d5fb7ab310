"""What texts of a query become."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.api import parameters as p
from mita_otel.console.api.parameters import ParameterError, microseconds
from mita_otel.console.reading.conditions import Condition


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("0", 0),
        ("250us", 250),
        ("250µs", 250),
        ("250μs", 250),
        ("1500ns", 1.5),
        ("100ms", 100_000),
        ("1.5s", 1_500_000),
        (".5s", 500_000),
        ("1.s", 1_000_000),
        ("1h2m3s", 3_723_000_000),
    ],
)
def test_durations_are_those_of_go(given_text: str, expected: float) -> None:
    assert microseconds(given_text) == expected


@pytest.mark.parametrize("given_text", ["", "5", "s", ".s", "1 s", "-1s", "1e3s", "1ss", "1s2", "1d", "\u0661s"])
def test_what_go_does_not_take_for_a_duration_is_none(given_text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        microseconds(given_text)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["us", "ms", "s", "m", "h"])), min_size=1, max_size=5))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    units = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6}
    written = "".join(f"{number}{unit}" for number, unit in parts)
    assert microseconds(written) == sum(number * units[unit] for number, unit in parts)


def test_bounds_of_durations_are_rounded_so_that_they_let_through_what_they_should() -> None:
    assert p.duration("d").value_of(["1500ns"]) == 2
    assert p.duration("d", is_upper=True).value_of(["1500ns"]) == 1


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)), st.integers(-12 * 60, 12 * 60))  # noqa: DTZ001 - the zone follows
def test_a_time_is_the_same_moment_in_every_zone(moment: datetime, minutes: int) -> None:
    here = moment.replace(tzinfo=UTC)
    there = here.astimezone(timezone(timedelta(minutes=minutes)))
    expected = round((here - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    assert p.timestamp("t").value_of([there.isoformat()]) == expected


@given(st.binary(min_size=16, max_size=16))
def test_an_id_is_read_with_and_without_its_leading_zeros(id_: bytes) -> None:
    read = p.identifier("trace", 32)
    assert read.value_of([id_.hex()]) == id_
    assert read.value_of([id_.hex().lstrip("0") or "0"]) == id_


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans(), max_size=5))
def test_attributes_are_conditions_on_values_as_text(attributes: dict[str, str | int | bool]) -> None:
    shown = {True: "true", False: "false"}
    found = p.attributes("tags").value_of([orjson.dumps(attributes).decode()])
    assert found == tuple(
        Condition(key, shown[value] if isinstance(value, bool) else str(value)) for key, value in attributes.items()
    )


@pytest.mark.parametrize(("given_text", "expected"), [("1m", 60), ("6h", 21_600), ("7d", 604_800)])
def test_a_window_is_in_seconds(given_text: str, expected: int) -> None:
    assert p.window("window").value_of([given_text]) == expected


def test_what_is_empty_is_not_given() -> None:
    assert p.integer("limit", 1, 9, default=5).value_of([""]) == 5
    assert p.pair("tag").value_of(["", ""]) == []


def test_of_a_parameter_that_is_given_twice_the_first_counts() -> None:
    assert p.text("service").value_of(["a", "b"]) == "a"


def test_a_complaint_repeats_only_the_beginning_of_a_long_value() -> None:
    with pytest.raises(ParameterError) as raised:
        p.integer("limit", 1, 9).value_of(["9" * 10_000])
    assert str(raised.value) == f"limit={'9' * 200}…: a whole number from 1 to 9"
