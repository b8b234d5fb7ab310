"""How long the last requests took."""

import json

from mita_otel.errors.performance import RECENT, SLOW, PerformanceTracker, SlowRequest


def request(seconds: float) -> SlowRequest:
    return SlowRequest("GET", "/", seconds, 0.0)


def test_without_a_request_there_are_no_figures() -> None:
    read = PerformanceTracker().read()
    times = (read.avg_response_time, read.max_response_time, read.min_response_time)
    assert (read.requests, times) == (0, (None, None, None))


def test_average_maximum_and_minimum_are_of_the_last_thousand() -> None:
    tracker = PerformanceTracker()
    tracker.ended(50.0)
    for number in range(RECENT):
        tracker.ended(1.0 + number % 2)
    read = tracker.read()
    assert (read.requests, read.avg_response_time, read.max_response_time, read.min_response_time) == (1000, 1.5, 2, 1)


def test_the_last_hundred_slow_requests_are_kept_newest_first() -> None:
    tracker = PerformanceTracker()
    for number in range(SLOW + 1):
        tracker.was_slow(request(3 + number))
    assert tracker.read().slow_requests_count == SLOW + 1
    slow = tracker.slow()
    assert (len(slow), slow[0].seconds, slow[-1].seconds) == (SLOW, 3 + SLOW, 4)


def test_it_can_be_told_as_json() -> None:
    tracker = PerformanceTracker()
    tracker.ended(3.0)
    tracker.was_slow(request(3.0))
    told = json.loads(tracker.report())
    assert (told["requests"], told["avg_response_time"], told["slow_requests_count"]) == (1, 3.0, 1)
    assert told["slow"] == [{"method": "GET", "route": "/", "seconds": 3.0, "at": 0.0, "trace_id": ""}]
