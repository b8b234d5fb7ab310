"""How long the last requests took."""

from mita_otel.errors.performance import RECENT, SLOW, PerformanceTracker, SlowRequest


def request(seconds: float) -> SlowRequest:
    return SlowRequest("GET", "/", seconds, 0.0)


def test_without_a_request_there_are_no_figures() -> None:
    read = PerformanceTracker().read()
    assert (read.requests, read.avg_response_time, read.max_response_time, read.min_response_time) == (
        0,
        None,
        None,
        None,
    )


def test_average_maximum_and_minimum_are_of_the_last_thousand() -> None:
    tracker = PerformanceTracker()
    tracker.ended(request(50))
    for number in range(RECENT):
        tracker.ended(request(1 + number % 2))
    read = tracker.read()
    assert (read.requests, read.avg_response_time, read.max_response_time, read.min_response_time) == (1000, 1.5, 2, 1)


def test_the_last_hundred_slow_requests_are_kept_newest_first() -> None:
    tracker = PerformanceTracker()
    for number in range(SLOW + 1):
        tracker.ended(request(3 + number))
        tracker.ended(request(2.0))
    assert tracker.read().slow_requests_count == SLOW + 1
    slow = tracker.slow()
    assert (len(slow), slow[0].seconds, slow[-1].seconds) == (SLOW, 3 + SLOW, 4)
