from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.retries.backoff import full_jitter, retry_after, typical

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@given(st.floats(0, 3600), st.floats(0, 3600), st.integers(0, 10**9), st.floats(0, 1))
def test_a_wait_is_between_nothing_and_its_cap(base: float, cap: float, retries: int, draw: float) -> None:
    assert 0 <= full_jitter(base, cap, retries, draw) <= cap


def test_the_longest_wait_doubles_until_it_reaches_its_cap() -> None:
    assert [full_jitter(0.1, 1.0, number, 1.0) for number in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_waits_are_spread_over_all_of_their_time() -> None:
    assert [full_jitter(1.0, 10.0, 2, draw) for draw in (0.0, 0.25, 0.5, 1.0)] == [0.0, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thursday, 01-Jan-26 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),  # it has passed
        ("Thu, 01 Jan 2026 12:00:30", None),  # in which zone?
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("²", None),
        ("Thu, 99 Jan 2026 99:00:30 GMT", None),
        ("9" * 65, None),
    ],
)
def test_what_a_server_asks_for_is_understood(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=80))
def test_no_header_breaks_it(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or found >= 0


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50))
def test_what_is_typical_is_something_that_was_seen(durations: list[float]) -> None:
    known: float | None = None
    for each in durations:
        known = typical(known, each)
    assert known is not None
    assert min(durations) <= known <= max(durations) + 0.001


def test_one_that_takes_for_ever_is_not_typical() -> None:
    known = typical(typical(None, 0.1), 1000.0)
    assert known < 0.12


def test_what_is_typical_follows_a_dependency_that_slows_down() -> None:
    known = 0.01
    for _ in range(60):
        known = typical(known, 1.0)
    assert known > 0.9
