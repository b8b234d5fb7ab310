"""When a cache that does not answer is asked again."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.cache.gate import LOG_INTERVAL, PAUSE, Gate


def test_a_cache_that_answers_is_always_asked() -> None:
    gate = Gate("c")
    assert all(gate.lets_through(now) for now in (0.0, 0.0, 1.0))


def test_after_a_failure_one_asks_for_all_once_a_pause() -> None:
    gate = Gate("c")
    gate.failed(TimeoutError(), 10.0)
    times = [10.0, 10.0 + PAUSE / 2, 10.0 + PAUSE, 10.0 + PAUSE, 10.0 + PAUSE * 1.5, 10.0 + PAUSE * 2]
    assert [gate.lets_through(now) for now in times] == [False, False, True, False, False, True]


def test_an_answer_opens_it() -> None:
    gate = Gate("c")
    gate.failed(TimeoutError(), 10.0)
    gate.answered()
    assert [gate.lets_through(10.0), gate.lets_through(10.0)] == [True, True]


def test_an_error_of_the_servers_own_leaves_it_open() -> None:
    gate = Gate("c")
    gate.refused(ValueError(), 10.0)
    assert gate.lets_through(10.0)


@given(st.lists(st.floats(0, 600), min_size=1))
def test_a_cache_that_stays_away_costs_one_attempt_a_pause(moments: list[float]) -> None:
    gate, attempts = Gate("c"), []
    gate.failed(TimeoutError(), 0.0)
    for now in sorted(moments):
        if gate.lets_through(now):
            attempts.append(now)
            gate.failed(TimeoutError(), now)
    assert all(later - earlier >= PAUSE for earlier, later in zip([0.0, *attempts], attempts, strict=False))


def test_it_is_logged_once_a_minute_without_the_message(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate("rates")
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 1.0, LOG_INTERVAL - 1, LOG_INTERVAL):
            gate.failed(TimeoutError("secret"), now)
    assert len(caplog.records) == 2
    assert vars(caplog.records[0])["error.type"] == "TimeoutError"
    assert "secret" not in caplog.text
