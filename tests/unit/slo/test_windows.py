from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.windows import Calendar, Period, Rolling, Unit, period_of, period_text, seconds, shortly

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "length"), [("200ms", 0.2), ("1s", 1), ("0.5s", 0.5), ("5m", 300), ("30d", 2_592_000), ("1w", 604_800)]
)
def test_a_duration_is_read(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "0s", "5 m", "1M", "1h30m", "1e3s", "9" * 20 + "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@given(st.integers(1, 10_000_000))
def test_a_length_is_written_so_that_it_can_be_read(length: int) -> None:
    assert seconds(shortly(length)) == length


def test_a_rolling_period_is_always_over() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert Rolling(86_400).bounds(now) == (now - timedelta(days=1), now)
    assert (Rolling(86_400).seconds(now), Rolling(86_400).elapsed(now)) == (86_400, 1)


@pytest.mark.parametrize(
    ("unit", "now", "hours"),
    [
        ("month", datetime(2026, 3, 15, tzinfo=UTC), 31 * 24 - 1),
        ("month", datetime(2026, 10, 15, tzinfo=UTC), 31 * 24 + 1),
        ("month", datetime(2028, 2, 29, tzinfo=UTC), 29 * 24),
        ("week", datetime(2026, 3, 29, tzinfo=UTC), 7 * 24 - 1),
        ("week", datetime(2026, 10, 25, tzinfo=UTC), 7 * 24 + 1),
    ],
    ids=["March", "October", "a leap year's February", "a week in March", "a week in October"],
)
def test_a_period_has_the_hours_that_its_clocks_give_it(unit: Unit, now: datetime, hours: int) -> None:
    assert Calendar(unit, BERLIN).seconds(now) == hours * 3600


def test_a_month_begins_at_midnight_where_people_are() -> None:
    start, end = Calendar("month", BERLIN).bounds(datetime(2026, 6, 30, 22, 30, tzinfo=UTC))
    assert start == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert end == datetime(2026, 7, 31, 22, tzinfo=UTC)


@given(MOMENTS, ZONES, st.sampled_from(["week", "month"]))
def test_each_moment_is_in_one_period_and_the_next_begins_where_it_ends(now: datetime, zone: str, unit: Unit) -> None:
    calendar = Calendar(unit, ZoneInfo(zone))
    start, end = calendar.bounds(now)
    assert start <= now < end
    assert 0 <= calendar.elapsed(now) < 1
    assert calendar.bounds(end)[0] == end
    assert calendar.bounds(start) == (start, end)


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (Rolling(30 * 86_400), "30d"),
        (Calendar("month"), "month"),
        (Calendar("week", BERLIN), "week Europe/Berlin"),
    ],
    ids=["rolling", "month", "week"],
)
def test_a_period_is_told_so_that_it_can_be_read(period: Period, text: str) -> None:
    assert period_text(period) == text
    assert period_of(text) == period


@pytest.mark.parametrize(
    "text",
    ["", "year", "0s", "500ms", "400d", "month Nowhere/Land", "month ../../etc/passwd", "month Europe", "week  UTC"],
)
def test_words_that_name_no_period_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        period_of(text)
