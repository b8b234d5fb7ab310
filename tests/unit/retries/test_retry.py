import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stamina

from mita_otel.breakers import CircuitBreaker, CircuitOpenError
from mita_otel.breakers import Policy as BreakerPolicy
from mita_otel.breakers import Registry as BreakerRegistry
from mita_otel.retries import BudgetTerms, OutOfTimeError, Policy, Registry, Retry, TimeLimit
from mita_otel.retries.attempts import number

Make = Callable[..., Retry]


class Flaky:
    """Fails so often, then works."""

    def __init__(self, failures: int, error: type[Exception] = ConnectionError) -> None:
        self.left = failures
        self.error = error
        self.calls = 0
        self.numbers: list[int] = []

    def __call__(self) -> str:
        self.calls += 1
        self.numbers.append(number())
        if self.left:
            self.left -= 1
            raise self.error(self.calls)
        return "done"

    async def later(self) -> str:
        return self()


async def test_a_call_is_made_until_it_succeeds(retry: Make) -> None:
    flaky = Flaky(2)
    assert await retry().call_async(flaky.later) == "done"
    assert flaky.calls == 3
    assert flaky.numbers == [0, 1, 2]
    assert number() == 0


def test_so_is_one_that_blocks(retry: Make) -> None:
    flaky = Flaky(2)
    assert retry().call(flaky) == "done"
    assert flaky.numbers == [0, 1, 2]


async def test_the_last_failure_is_raised_as_it_is(retry: Make) -> None:
    flaky = Flaky(9)
    with pytest.raises(ConnectionError) as raised:
        await retry(attempts=4).call_async(flaky.later)
    assert raised.value.args == (4,)


async def test_a_failure_that_lasts_is_raised_at_once(retry: Make) -> None:
    flaky, made = Flaky(9, ValueError), retry()
    with pytest.raises(ValueError, match="1"):
        await made.call_async(flaky.later)
    assert flaky.calls == 1
    assert sum(made.statistics.exhausted.values()) == 0, "it would not have been tried again anyhow"


async def test_functions_can_be_decorated(retry: Make) -> None:
    made, flaky = retry(), Flaky(1)

    @made
    async def later(what: str) -> str:
        return f"{what} {await flaky.later()}"

    @made
    def now(what: str) -> str:
        return f"{what} {flaky()}"

    assert await later("is") == "is done"
    flaky.left = 1
    assert now("was") == "was done"
    assert later.__name__ == "later"


def test_a_generator_function_is_refused(retry: Make) -> None:
    def parts() -> Any:
        yield 1

    with pytest.raises(TypeError, match="parts"):
        retry()(parts)


async def test_a_block_is_run_until_it_succeeds(retry: Make) -> None:
    flaky, made, seen = Flaky(2), retry(), []
    async for attempt in made:
        with attempt:
            seen.append(attempt.number)
            await flaky.later()
    assert seen == [1, 2, 3]
    flaky.left = 1
    for attempt in made:
        with attempt:
            seen.append(attempt.number)
            flaky()
    assert seen == [1, 2, 3, 1, 2]
    statistics = made.statistics
    assert (statistics.calls, statistics.attempts, statistics.failures, statistics.successes) == (2, 5, 3, 2)


async def test_a_block_that_fails_for_good_raises_its_last_failure(retry: Make) -> None:
    async def block() -> None:
        async for attempt in retry():
            with attempt:
                await flaky.later()

    flaky = Flaky(9)
    with pytest.raises(ConnectionError) as raised:
        await block()
    assert raised.value.args == (3,)


async def test_a_block_may_be_left_early(retry: Make) -> None:
    made = retry()
    async for attempt in made:
        with attempt:
            break
    assert made.statistics.attempts == 1


async def test_a_cancelled_call_is_neither_a_failure_nor_tried_again(retry: Make) -> None:
    made = retry()
    running = asyncio.create_task(made.call_async(asyncio.Event().wait))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    statistics = made.statistics
    assert (statistics.attempts, statistics.successes, statistics.failures) == (1, 0, 0)


async def test_a_wait_that_is_cancelled_is_accounted_for(retry: Make) -> None:
    made = retry(base_seconds=3600.0, cap_seconds=3600.0, timeout_seconds=None)
    running = asyncio.create_task(made.call_async(Flaky(9).later))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert 0.01 < made.statistics.waited < 10
    assert made.statistics.retries == 0, "the second attempt has not begun"


async def test_waits_are_accounted_for(registry: Registry) -> None:
    made = Retry("dependency", Policy(base_seconds=0.02), registry=registry, draw=lambda: 1.0)
    await made.call_async(Flaky(2).later)
    assert 0.06 <= made.statistics.waited < 10


async def test_what_is_not_idempotent_is_sent_once(retry: Make) -> None:
    made, flaky = retry(), Flaky(9, TimeoutError)
    with pytest.raises(TimeoutError):
        await made.for_request("POST").call_async(flaky.later)
    assert flaky.calls == 1
    assert made.statistics.exhausted["not_idempotent"] == 1


async def test_unless_it_carries_a_key(retry: Make) -> None:
    flaky = Flaky(1, TimeoutError)
    await retry().for_request("POST", {"Idempotency-Key": "order-42"}).call_async(flaky.later)
    assert flaky.calls == 2


async def test_or_has_never_left(retry: Make) -> None:
    flaky = Flaky(1, ConnectionRefusedError)
    await retry().for_request("POST").call_async(flaky.later)
    assert flaky.calls == 2


async def test_an_open_circuit_is_not_asked_again(retry: Make) -> None:
    breaker = CircuitBreaker("broken", BreakerPolicy(failure_threshold=2), registry=BreakerRegistry())
    made, flaky = retry(attempts=10), Flaky(99)
    with pytest.raises(CircuitOpenError):
        await made.call_async(breaker.call_async, flaky.later)
    assert flaky.calls == 2
    assert made.statistics.exhausted["circuit_open"] == 1


async def test_what_a_server_asks_for_is_waited_for(registry: Registry) -> None:
    made = Retry("dependency", Policy(base_seconds=0.0, cap_seconds=0.0), registry=registry)
    times: list[float] = []

    class BusyError(ConnectionError):
        retry_after = 0.05

    async def busy() -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            raise BusyError

    await made.call_async(busy)
    assert times[1] - times[0] >= 0.05


async def test_what_it_asks_for_is_not_waited_for_if_that_takes_too_long(retry: Make) -> None:
    def refused() -> None:
        response = httpx.Response(429, headers={"retry-after": "3600"})
        raise httpx.HTTPStatusError("busy", request=httpx.Request("GET", "http://x/"), response=response)

    made = retry()
    began = time.monotonic()
    with pytest.raises(httpx.HTTPStatusError):
        made.call(refused)
    assert time.monotonic() - began < 10
    assert made.statistics.exhausted["timeout"] == 1


async def test_no_retry_begins_that_would_end_after_the_deadline(retry: Make) -> None:
    made, flaky = retry(), Flaky(99)

    async def slow() -> None:
        await asyncio.sleep(0.1)
        await flaky.later()

    flaky.left = 0
    await slow()
    await made.call_async(slow)  # takes 0.1 s, which is typical from now on
    flaky.left, flaky.calls = 99, 0
    with pytest.raises(ConnectionError), TimeLimit(0.15):
        await made.call_async(slow)
    assert flaky.calls == 1
    assert made.statistics.exhausted["timeout"] == 1


async def test_time_that_is_used_up_is_not_tried_again(retry: Make) -> None:
    made, calls = retry(), 0

    async def late() -> None:
        nonlocal calls
        calls += 1
        raise OutOfTimeError("external")

    with pytest.raises(OutOfTimeError):
        await made.call_async(late)
    assert calls == 1
    assert made.statistics.exhausted["timeout"] == 1


async def test_a_budget_that_is_used_up_raises_the_failure_as_it_is(retry: Make) -> None:
    made = retry(budget=BudgetTerms(ratio=0, per_second=0, most=1, initial=1))
    flaky = Flaky(9)
    with pytest.raises(ConnectionError) as raised:
        await made.call_async(flaky.later)
    assert raised.value.args == (2,)
    assert made.statistics.exhausted["budget"] == 1


async def test_a_thousand_calls_that_fail_at_once_are_not_three_thousand(retry: Make) -> None:
    made = retry(budget=BudgetTerms(ratio=0.2, per_second=0, most=100, initial=10))

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    failed = await asyncio.gather(*(made.call_async(fail) for _ in range(1000)), return_exceptions=True)
    statistics = made.statistics
    assert {type(each) for each in failed} == {ConnectionError}
    assert statistics.calls == 1000
    assert 10 <= statistics.retries <= 100
    assert statistics.amplification <= 1.1
    assert statistics.exhausted["budget"] + statistics.exhausted["attempts"] == 1000


def test_threads_share_a_budget(retry: Make) -> None:
    made = retry(budget=BudgetTerms(ratio=0, per_second=0, most=20, initial=20))

    def work() -> None:
        for _ in range(50):
            with pytest.raises(ConnectionError):
                made.call(Flaky(99))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (made.statistics.calls, made.statistics.retries) == (200, 20)


async def test_two_policies_of_one_dependency_share_its_budget(registry: Registry) -> None:
    one = Retry("dependency", Policy(attempts=2), registry=registry)
    other = Retry("dependency", Policy(attempts=5), registry=registry)
    await one.call_async(Flaky(0).later)
    assert other.statistics.calls == 1
    with pytest.raises(ValueError, match="budget"):
        Retry("dependency", Policy(budget=BudgetTerms(ratio=0.5)), registry=registry)


@pytest.mark.parametrize("name", ["", "A", "a b", "1a", "a" * 64, "a/b", "é"])
def test_a_name_that_is_none_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ValueError, match="name="):
        Retry(name, registry=registry)


def test_a_name_for_each_request_is_refused(registry: Registry) -> None:
    for request in range(64):
        Retry(f"request-{request}", registry=registry)
    with pytest.raises(ValueError, match="leak"):
        Retry("request-64", registry=registry)


async def test_retries_within_retries_each_keep_to_their_own(registry: Registry) -> None:
    inner, outer = (
        Retry(name, Policy(base_seconds=0.0001, attempts=2), registry=registry) for name in ("inner", "outer")
    )
    flaky = Flaky(3)
    assert await outer.call_async(inner.call_async, flaky.later) == "done"
    assert flaky.calls == 4
    assert registry.statistics()["outer"].attempts == 2
    assert registry.statistics()["inner"].attempts == 4


async def test_staminas_switches_work(retry: Make) -> None:
    made = retry(base_seconds=60.0, cap_seconds=60.0, timeout_seconds=None)
    stamina.set_testing(True, attempts=2)
    flaky = Flaky(9)
    with pytest.raises(ConnectionError):
        await made.call_async(flaky.later)
    assert flaky.calls == 2
    stamina.set_testing(False)
    stamina.set_active(False)
    with pytest.raises(ConnectionError):
        await made.call_async(flaky.later)
    assert flaky.calls == 3
