"""What a breaker does with calls."""

# mypy: disable-error-code="comparison-overlap"
# A state changes between two looks at it, which mypy does not expect of a property.

import asyncio
import contextlib
import pickle
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mita_otel.breakers import (
    CircuitBreaker,
    CircuitOpenError,
    Outcome,
    Override,
    Registry,
    State,
    retry_after,
    retry_after_headers,
)
from mita_otel.breakers.registry import BREAKERS_AT_MOST
from tests.unit.breakers.conftest import Clock

Make = Callable[..., CircuitBreaker]


def _fail() -> None:
    raise ConnectionError


def _fail_times(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker.call(_fail)


def test_five_failures_in_a_row_open_it_for_a_minute_and_three_successes_close_it(make: Make, clock: Clock) -> None:
    breaker = make()
    _fail_times(breaker, 4)
    assert breaker.call(lambda: "fine") == "fine"
    _fail_times(breaker, 5)
    assert breaker.state is State.OPEN
    clock.advance(59.9)
    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(lambda: "fine")
    assert refused.value.retry_after == pytest.approx(0.1)
    clock.advance(0.2)
    assert [breaker.call(lambda: breaker.state) for _ in range(3)] == [State.HALF_OPEN] * 3
    assert breaker.state is State.CLOSED


def test_one_failed_probe_opens_it_again(make: Make, clock: Clock) -> None:
    breaker = make()
    _fail_times(breaker, 5)
    clock.advance(60)
    _fail_times(breaker, 1)
    assert breaker.state is State.OPEN


def test_the_wait_grows_with_each_trip_up_to_its_limit_and_begins_anew_once_closed(make: Make, clock: Clock) -> None:
    breaker = make(failure_threshold=1, success_threshold=1, open_seconds=10.0, open_backoff=3.0, open_seconds_max=50.0)
    waits = []
    for _ in range(4):
        _fail_times(breaker, 1)
        with pytest.raises(CircuitOpenError) as refused:
            breaker.call(_fail)
        waits.append(refused.value.retry_after)
        clock.advance(refused.value.retry_after)
    assert waits == [10, 30, 50, 50]
    breaker.call(lambda: None)
    _fail_times(breaker, 1)
    clock.advance(10)
    breaker.call(lambda: None)


def test_chance_lengthens_the_wait_by_no_more_than_its_share(make: Make) -> None:
    breaker = make(failure_threshold=1, open_seconds=10.0, open_jitter=0.2)
    _fail_times(breaker, 1)
    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(_fail)
    assert refused.value.retry_after == pytest.approx(11.0)


def test_half_of_the_calls_failing_opens_it_once_there_are_enough(make: Make) -> None:
    breaker = make(mode="rate", window_size=10, minimum_calls=10)
    _fail_times(breaker, 4)
    for _ in range(5):
        breaker.call(lambda: None)
    assert breaker.state is State.CLOSED
    _fail_times(breaker, 1)
    assert breaker.state is State.OPEN


def test_a_window_of_time_forgets_what_is_older(make: Make, clock: Clock) -> None:
    breaker = make(mode="rate", window="time", window_size=10, minimum_calls=4)
    _fail_times(breaker, 3)
    clock.advance(10)
    _fail_times(breaker, 3)
    assert breaker.state is State.CLOSED
    clock.advance(9)
    _fail_times(breaker, 1)
    assert breaker.state is State.OPEN


def test_slow_calls_open_it_although_they_succeed(make: Make, clock: Clock) -> None:
    breaker = make(mode="rate", window_size=4, minimum_calls=4, slow_seconds=2.0, slow_rate=0.75)
    for seconds in (2.0, 1.9, 3.0, 2.0):
        breaker.call(clock.advance, seconds)
    assert breaker.state is State.OPEN
    assert breaker.statistics.slow == 3


def test_a_clock_that_jumps_either_way_leaves_it_working(make: Make, clock: Clock) -> None:
    breaker = make(mode="rate", window="time", window_size=60, minimum_calls=3)
    for jump in (1e9, -2e9, 1e-9, -5.0, 3e9):
        clock.advance(jump)
        breaker.call(lambda: None)
    _fail_times(breaker, 2)
    assert breaker.state is State.OPEN
    clock.advance(-1e9)
    with pytest.raises(CircuitOpenError):
        breaker.call(lambda: None)
    clock.advance(2e9)
    breaker.call(lambda: None)
    assert breaker.state is State.HALF_OPEN


@pytest.mark.parametrize(
    ("fields", "probes"),
    [
        ({"success_threshold": 3}, 3),
        ({"success_threshold": 20, "half_open_concurrency": 7}, 7),
        ({"mode": "rate", "half_open_calls": 10, "minimum_calls": 5, "window_size": 5}, 10),
    ],
)
async def test_of_a_thousand_calls_at_once_exactly_the_probes_are_let_through(
    make: Make, clock: Clock, fields: dict[str, Any], probes: int
) -> None:
    breaker = make(**fields)
    _fail_times(breaker, 5)
    clock.advance(60)
    answer = asyncio.Event()
    reached = 0

    async def dependency() -> None:
        nonlocal reached
        reached += 1
        await answer.wait()

    calls = [asyncio.create_task(breaker.call_async(dependency)) for _ in range(1000)]
    await asyncio.sleep(0)
    assert reached == probes
    answer.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(end, CircuitOpenError) for end in ended) == 1000 - probes


def test_of_many_threads_at_once_exactly_the_probes_are_let_through(make: Make, clock: Clock) -> None:
    breaker = make()
    _fail_times(breaker, 5)
    clock.advance(60)
    answer = threading.Event()

    def ask(_: int) -> bool:
        try:
            breaker.call(answer.wait)
        except CircuitOpenError:
            return False
        return True

    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(ask, number) for number in range(40)]
        refused = [call.result(30) for call in asked[3:]] if all(not call.done() for call in asked[:3]) else None
        answer.set()
        through = sum(call.result(30) for call in asked)
    assert through == 3
    assert refused is None or not any(refused)


def test_threads_lose_no_call_to_one_another(make: Make) -> None:
    breaker = make(mode="rate", window_size=10_000, minimum_calls=10_000)

    def ask(number: int) -> None:
        for _ in range(1000):
            with contextlib.suppress(ConnectionError):
                breaker.call(_fail if number % 2 else int)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert (breaker.statistics.successes, breaker.statistics.failures) == (4000, 4000)
    assert breaker.state is State.CLOSED


async def test_ten_thousand_cancellations_open_nothing(make: Make) -> None:
    breaker = make(failure_threshold=1)

    async def never() -> None:
        await asyncio.Event().wait()

    for _ in range(20):
        calls = [asyncio.create_task(breaker.call_async(never)) for _ in range(500)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    assert breaker.state is State.CLOSED
    assert breaker.statistics.ignored == 10_000
    assert breaker.statistics.failures == 0


async def test_cancelled_probes_give_their_permits_back(make: Make, clock: Clock) -> None:
    breaker = make()
    _fail_times(breaker, 5)
    clock.advance(60)
    for _ in range(10):
        probe = asyncio.create_task(breaker.call_async(asyncio.Event().wait))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
    assert breaker.state is State.HALF_OPEN
    for _ in range(3):
        breaker.call(lambda: None)
    assert breaker.state is State.CLOSED


async def test_a_time_limit_inside_is_a_failure_and_one_outside_is_not(make: Make) -> None:
    inside, outside = make("inside", failure_threshold=1), make("outside", failure_threshold=1)
    with pytest.raises(TimeoutError):
        async with inside, asyncio.timeout(0.001):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001), outside:
            await asyncio.Event().wait()
    assert (inside.state, outside.state) == (State.OPEN, State.CLOSED)


def test_a_call_that_ends_in_another_state_than_it_began_in_says_nothing(make: Make, clock: Clock) -> None:
    breaker = make()
    with breaker:
        _fail_times(breaker, 5)
        clock.advance(60)
        breaker.call(lambda: None)
    assert breaker.state is State.HALF_OPEN
    breaker.call(lambda: None)
    assert breaker.state is State.HALF_OPEN
    breaker.call(lambda: None)
    assert breaker.state is State.CLOSED


def test_a_probe_that_takes_too_long_makes_room_and_says_nothing_any_more(make: Make, clock: Clock) -> None:
    breaker = make(success_threshold=1, probe_seconds=5.0)
    _fail_times(breaker, 5)
    clock.advance(60)

    def hang() -> None:
        with pytest.raises(CircuitOpenError) as refused:
            breaker.call(lambda: None)
        assert refused.value.retry_after == 1.0
        clock.advance(5)
        breaker.call(lambda: None)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        breaker.call(hang)
    assert breaker.state is State.CLOSED


def test_a_refusal_of_another_breaker_says_nothing_about_this_dependency(make: Make) -> None:
    outer, inner = make("outer", failure_threshold=1), make("inner", failure_threshold=1)
    _fail_times(inner, 1)
    for _ in range(3):
        with pytest.raises(CircuitOpenError, match="inner"), outer, inner:
            pass
    assert outer.state is State.CLOSED
    assert outer.statistics.ignored == 3


def test_blocks_may_stand_in_one_another_in_any_order(make: Make) -> None:
    one, two = make("one", failure_threshold=1), make("two", failure_threshold=1)
    with one, two, one:
        pass
    with pytest.raises(ConnectionError), one, two:  # noqa: PT012 - the third stands in both
        two.call(lambda: None)
        one.call(_fail)
    assert (one.statistics.successes, one.statistics.failures) == (2, 2)
    assert (two.statistics.successes, two.statistics.failures) == (2, 1)
    assert one.state is State.OPEN


def test_a_block_that_is_left_elsewhere_disturbs_no_other_one(make: Make) -> None:
    lost, other = make("lost"), make("other")
    lost.__enter__()
    with other:
        pass
    assert other.statistics.successes == 1
    threading.Thread(target=lost.__exit__, args=(None, None, None)).start()


async def test_a_decorated_function_stays_what_it_was(make: Make) -> None:
    breaker = make()

    @breaker
    async def greet(name: str, *, loudly: bool = False) -> str:
        """Greet."""
        return name.upper() if loudly else name

    @breaker
    def add(one: int, two: int) -> int:
        return one + two

    assert await greet("ada", loudly=True) == "ADA"
    assert (add(1, two=2), greet.__name__, greet.__doc__) == (3, "greet", "Greet.")
    assert breaker.statistics.successes == 2


def test_a_generator_cannot_be_guarded_by_decoration(make: Make) -> None:
    with pytest.raises(TypeError, match="generator function"):

        @make()
        def numbers() -> Any:
            yield 1


def test_forced_open_refuses_disabled_lets_through_and_neither_judges(make: Make) -> None:
    breaker = make(failure_threshold=1)
    breaker.override(Override.FORCED_OPEN)
    with pytest.raises(CircuitOpenError):
        breaker.call(lambda: None)
    breaker.override(Override.DISABLED)
    _fail_times(breaker, 5)
    assert breaker.state is State.DISABLED
    breaker.override(None)
    assert breaker.state is State.CLOSED
    _fail_times(breaker, 1)
    assert breaker.state is State.OPEN
    breaker.override(None)
    assert breaker.state is State.CLOSED


def test_what_is_only_measured_counts_what_would_have_been_refused(make: Make, clock: Clock) -> None:
    breaker = make()
    breaker.override(Override.METRICS_ONLY)
    _fail_times(breaker, 8)
    clock.advance(60)
    for _ in range(5):
        breaker.call(lambda: None)
    assert breaker.state is State.METRICS_ONLY
    assert (breaker.statistics.would_reject, breaker.ledger.trips_shadowed) == (3, 1)
    assert breaker.statistics.rejected == 0


def test_the_statistics_are_those_of_the_report(make: Make, clock: Clock) -> None:
    breaker = make()
    breaker.call(lambda: None)
    _fail_times(breaker, 5)
    with pytest.raises(CircuitOpenError):
        breaker.call(_fail)
    figures = breaker.statistics
    assert (figures.total_requests, figures.successes, figures.failures, figures.rejected) == (7, 1, 5, 1)
    assert figures.success_rate == pytest.approx(1 / 6)
    assert (figures.consecutive_failures, figures.consecutive_successes) == (5, 0)
    assert figures.last_failure_time is not None
    assert figures.total_state_changes == 1
    assert figures.state_changed_at == breaker.ledger.history[-1].at


def test_a_name_is_free_again_once_its_breaker_has_retired(make: Make, registry: Registry) -> None:
    first = make()
    with pytest.raises(ValueError, match="there is a breaker of that name"):
        make()
    first.retire()
    assert registry.get("api") is None
    make().call(lambda: None)


@pytest.mark.parametrize("name", ["", "Api", "a b", "ä", "a" * 64, "1a"])
def test_a_name_that_would_be_no_good_label_is_refused(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match="name="):
        make(name)


def test_a_breaker_for_each_request_is_refused_before_it_fills_the_memory(make: Make) -> None:
    for number in range(BREAKERS_AT_MOST):
        make(f"api{number}")
    with pytest.raises(ValueError, match="one for each request is a leak"):
        make("one-more")


def test_a_refusal_tells_when_to_come_again_also_through_what_is_raised_from_it() -> None:
    refusal = CircuitOpenError("api", 2.1)
    error = ValueError("unavailable")
    error.__cause__ = refusal
    assert retry_after(error) == 2.1
    assert retry_after_headers(error) == {"Retry-After": "3"}
    assert retry_after_headers(CircuitOpenError("api", 0.0)) == {"Retry-After": "1"}
    assert (retry_after(ValueError()), retry_after_headers(None)) == (None, {})
    assert pickle.loads(pickle.dumps(refusal)).retry_after == 2.1


def test_a_judge_that_fails_costs_no_caller_its_result(make: Make) -> None:
    def broken(_: object) -> Any:
        raise LookupError

    breaker = make(judge_result=broken, judge_exception=broken)
    assert breaker.call(lambda: 7) == 7
    _fail_times(breaker, 1)
    assert breaker.ledger.total(Outcome.SUCCESS, Outcome.FAILURE) == 2


def test_a_judge_may_answer_with_anything_that_is_true_or_not(make: Make) -> None:
    breaker = make(mode="rate", judge_result=lambda text: re.search("error", text))
    assert [breaker.call(str, text) for text in ("fine", "error 5")] == ["fine", "error 5"]
    assert (breaker.statistics.successes, breaker.statistics.failures) == (1, 1)
