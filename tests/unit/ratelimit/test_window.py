"""The sliding-window counter against a count of every single request."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.ratelimit.window import Decision, Terms, Window, current, judge

TERMS = st.builds(Terms, limit=st.integers(1, 12), length=st.integers(1, 60).map(lambda length: length * 10))
STEPS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3)), max_size=60)
"""Milliseconds since the request before, and what a request costs."""


def _admitted(steps: Sequence[tuple[int, int]], terms: Terms) -> list[tuple[int, int]]:
    """When requests were admitted, and at which cost."""
    now, window = 1_000, None
    admitted = []
    for pause, cost in steps:
        now += pause
        [window], [decision] = judge([window], now, cost, [terms])
        if decision.is_allowed:
            admitted.append((now, cost))
    return admitted


def _cost(admitted: Sequence[tuple[int, int]], after: int, until: int) -> int:
    return sum(cost for when, cost in admitted if after < when <= until)


@given(steps=STEPS, terms=TERMS)
def test_no_span_of_a_windows_length_admits_more_than_the_stated_bound(
    steps: list[tuple[int, int]], terms: Terms
) -> None:
    now, window = 1_000, None
    admitted: list[tuple[int, int]] = []
    for pause, cost in steps:
        now += pause
        [window], [decision] = judge([window], now, cost, [terms])
        if decision.is_allowed and cost:
            admitted.append((now, cost))
            passed = now - window.began + 1
            bound = terms.limit + -(-terms.limit * passed // terms.length)
            assert _cost(admitted, now - terms.length, now) <= bound <= 2 * terms.limit


@given(steps=STEPS, terms=TERMS)
def test_the_estimate_is_off_by_no_more_than_the_share_of_the_window_before(
    steps: list[tuple[int, int]], terms: Terms
) -> None:
    now, window = 1_000, None
    admitted: list[tuple[int, int]] = []
    for pause, cost in steps:
        now += pause
        [window], [decision] = judge([window], now, cost, [terms])
        if decision.is_allowed:
            admitted.append((now, cost))
        passed = now - window.began + 1
        estimate = window.counted + window.before * (terms.length - passed) / terms.length
        truth = _cost(admitted, now - terms.length, now)
        assert truth - estimate <= window.before * passed / terms.length + 1e-9
        assert estimate - truth <= window.before * (terms.length - passed) / terms.length + 1e-9


@given(steps=STEPS, terms=TERMS, spans=st.integers(1, 5))
def test_over_time_no_more_than_the_quota_is_admitted_for_each_window_and_one_more(
    steps: list[tuple[int, int]], terms: Terms, spans: int
) -> None:
    admitted = _admitted(steps, terms)
    for until, _ in admitted:
        assert _cost(admitted, until - spans * terms.length, until) <= (spans + 1) * terms.limit


@given(terms=TERMS, requests=st.integers(1, 40))
def test_a_burst_gets_exactly_the_quota(terms: Terms, requests: int) -> None:
    assert len(_admitted([(0, 1)] * requests, terms)) == min(requests, terms.limit)


WINDOWS = st.builds(Window, began=st.integers(0, 2_000), before=st.integers(0, 12), counted=st.integers(0, 12))


@given(window=WINDOWS, now=st.integers(0, 2_000), terms=TERMS, cost=st.integers(1, 12))
def test_a_blocked_request_is_admitted_when_it_was_told_to_come_and_no_millisecond_before(
    window: Window, now: int, terms: Terms, cost: int
) -> None:
    window = _possible(window, terms)
    cost = min(cost, terms.limit)
    [held], [decision] = judge([window], now, cost, [terms])
    if decision.is_allowed:
        assert decision.retry_in == 0
        return
    assert _is_admitted(held, now + decision.retry_in, cost, terms)
    assert not _is_admitted(held, now + decision.retry_in - 1, cost, terms)


@given(window=WINDOWS, now=st.integers(0, 2_000), terms=TERMS)
def test_more_is_left_when_that_was_told_and_no_millisecond_before(window: Window, now: int, terms: Terms) -> None:
    window = _possible(window, terms)
    [held], [decision] = judge([window], now, 0, [terms])
    if decision.remaining == terms.limit:
        assert decision.renews_in == 0
        return
    assert _remaining(held, now + decision.renews_in, terms) > decision.remaining
    assert _remaining(held, now + decision.renews_in - 1, terms) == decision.remaining


def _possible(window: Window, terms: Terms) -> Window:
    return window._replace(before=min(window.before, terms.limit), counted=min(window.counted, terms.limit))


def _is_admitted(window: Window, now: int, cost: int, terms: Terms) -> bool:
    return judge([window], now, cost, [terms])[1][0].is_allowed


def _remaining(window: Window, now: int, terms: Terms) -> int:
    return judge([window], now, 0, [terms])[1][0].remaining


def test_what_does_not_fit_one_quota_counts_for_none() -> None:
    narrow, wide = Terms(1, 1000), Terms(5, 1000)
    windows, _ = judge([None, None], 0, 1, [narrow, wide])
    windows, decisions = judge(windows, 1, 1, [narrow, wide])
    assert windows == [Window(0, 0, 1), Window(0, 0, 1)]
    assert [decision.is_allowed for decision in decisions] == [False, True]


def test_a_decision_tells_what_is_left_after_the_request() -> None:
    _, decisions = judge([Window(0, 4, 2)], 500, 1, [Terms(10, 1000)])
    # 4 of the window before weigh a little less than 2 at half time, and 3 are counted: 6 are left, and one more when
    # less than a quarter of that window is among the last second.
    assert decisions == [Decision(is_allowed=True, limit=10, remaining=6, renews_in=250, retry_in=0)]


def test_a_clock_that_goes_back_frees_nobody_and_holds_nobody_for_longer_than_two_windows() -> None:
    terms = Terms(2, 1000)
    full = Window(1_000_000, 0, 2)
    held = current(full, 5_000, terms.length)
    assert held == Window(5_000, 0, 2)
    assert not _is_admitted(full, 5_000, 1, terms)
    assert _remaining(held, 5_000 + 2 * terms.length, terms) == 2


@given(steps=st.lists(st.tuples(st.integers(-3_000, 3_000), st.integers(0, 3)), max_size=60), terms=TERMS)
def test_whatever_the_clock_does_no_window_counts_more_than_its_quota(
    steps: list[tuple[int, int]], terms: Terms
) -> None:
    now, window = 100_000, None
    for pause, cost in steps:
        now += pause
        [window], [decision] = judge([window], now, cost, [terms])
        assert 0 <= window.counted <= terms.limit
        assert 0 <= now - window.began < terms.length
        assert 0 <= decision.remaining <= terms.limit
        assert 0 <= decision.renews_in <= 2 * terms.length
