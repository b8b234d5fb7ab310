"""How often a Redis that does not answer is asked."""

import logging

import pytest

from mita_otel.ratelimit.gate import PAUSE, Gate

FAULT = ConnectionError("gone")


def test_after_a_failure_one_request_a_second_asks() -> None:
    gate = Gate()
    gate.failed(FAULT, 10.0)
    asked = [now for now in range(1000, 1400) if gate.lets_through(now / 100)]
    assert asked == [1100, 1200, 1300]
    assert PAUSE == 1.0


def test_an_answer_opens_it_for_all() -> None:
    gate = Gate()
    gate.failed(FAULT, 10.0)
    gate.answered()
    assert gate.is_up
    assert all(gate.lets_through(10.0) for _ in range(3))


def test_it_tells_when_redis_is_asked_again() -> None:
    gate = Gate()
    gate.failed(FAULT, 10.0)
    assert gate.retry_in(10.4) == 600
    assert gate.retry_in(12.0) == 1


def test_a_redis_that_flaps_every_second_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    with caplog.at_level(logging.WARNING):
        for second in range(0, 120, 2):
            gate.failed(FAULT, float(second))
            gate.answered()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["rate limits fall back to what each policy says: Redis does not answer"] * 2
