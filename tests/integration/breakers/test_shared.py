"""Breakers of several processes on one Redis, also while that comes and goes."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import redis

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Override, State
from mita_otel.breakers.shared import RedisCircuits
from mita_otel.stack.databases import Server
from tests.fixtures.polling import eventually, eventually_async
from tests.fixtures.service import ROOT
from tests.integration.breakers.conftest import POLICY

Share = Callable[..., CircuitBreaker]


def _fail() -> None:
    raise ConnectionError


def _trip(breaker: CircuitBreaker) -> None:
    while breaker.state is State.CLOSED:
        with suppress(ConnectionError):
            breaker.call(_fail)


def _is_up(breaker: CircuitBreaker) -> bool:
    return bool(breaker._shared and breaker._shared.is_up)


def _reached(breaker: CircuitBreaker, dependency: Callable[[], Any] = lambda: None) -> bool:
    try:
        breaker.call(dependency)
    except (CircuitOpenError, ConnectionError):
        return False
    return True


def _all(state: State, *breakers: CircuitBreaker) -> bool:
    return all(breaker.state is state for breaker in breakers)


@pytest.fixture
def pair(share: Share, redis_url: str) -> tuple[CircuitBreaker, CircuitBreaker]:
    one, two = share(redis_url), share(redis_url)
    eventually(lambda: _is_up(one) and _is_up(two))
    return one, two


def test_what_opens_in_one_process_is_open_in_all(pair: tuple[CircuitBreaker, CircuitBreaker]) -> None:
    one, two = pair
    _trip(one)
    eventually(lambda: two.state is State.OPEN)
    assert two.statistics.failures == 0
    assert [(change.before, change.after, change.reason) for change in two.ledger.history] == [
        ("closed", "open", "shared")
    ]
    with pytest.raises(CircuitOpenError) as refused:
        two.call(_fail)
    assert 0 <= refused.value.retry_after <= 0.3


def test_what_closes_in_one_process_is_closed_in_all(pair: tuple[CircuitBreaker, CircuitBreaker]) -> None:
    one, two = pair
    _trip(one)
    eventually(lambda: two.state is State.OPEN)
    eventually(lambda: _reached(two) and _all(State.CLOSED, one, two))
    assert two.statistics.successes >= 2
    assert one.statistics.successes == 0
    assert two.ledger.history[-1].reason == "probes_succeeded"
    assert one.ledger.history[-1].reason == "shared"


def test_all_processes_together_get_the_probes_of_one(share: Share, redis_url: str) -> None:
    policy = replace(POLICY, success_threshold=5)
    breakers = [share(redis_url, policy) for _ in range(4)]
    eventually(lambda: all(_is_up(breaker) for breaker in breakers))
    _trip(breakers[0])
    eventually(lambda: _all(State.OPEN, *breakers))
    answer = threading.Event()
    reached: list[int] = []

    def probe(breaker: CircuitBreaker) -> None:
        def dependency() -> None:
            reached.append(1)
            answer.wait(20)

        while not answer.is_set():
            _reached(breaker, dependency)
            time.sleep(0.001)

    threads = [threading.Thread(target=probe, args=(breaker,)) for breaker in breakers for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(reached) >= 5)
    time.sleep(0.3)  # so long for anyone to ask again and again
    assert len(reached) == 5
    answer.set()
    for thread in threads:
        thread.join(20)
    eventually(lambda: _all(State.CLOSED, *breakers))


def test_a_failed_probe_opens_all_for_longer(share: Share, redis_url: str) -> None:
    policy = replace(POLICY, open_backoff=10.0)
    one, two = share(redis_url, policy), share(redis_url, policy)
    eventually(lambda: _is_up(one) and _is_up(two))
    _trip(one)
    eventually(lambda: two.state is State.OPEN)

    def probed() -> bool:
        with suppress(CircuitOpenError, ConnectionError):
            two.call(_fail)
        return two.statistics.failures > 0

    eventually(probed)
    eventually(lambda: one._circuit.trips == 2 and two._circuit.trips == 2)
    with pytest.raises(CircuitOpenError) as refused:
        one.call(_fail)
    assert 1.5 < refused.value.retry_after <= 3.0


async def test_cancelled_probes_cost_the_others_nothing(pair: tuple[CircuitBreaker, CircuitBreaker]) -> None:
    one, two = pair
    _trip(one)

    async def cancelled() -> bool:
        call = asyncio.create_task(one.call_async(asyncio.Event().wait))
        await asyncio.sleep(0)
        was_let_through = not call.done()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return was_let_through

    for _ in range(2 * POLICY.success_threshold):
        await eventually_async(cancelled)

    async def both_are_closed() -> bool:
        return _reached(two) and _all(State.CLOSED, one, two)

    await eventually_async(both_are_closed)
    assert two.statistics.successes >= POLICY.success_threshold


def test_an_old_message_changes_nothing(pair: tuple[CircuitBreaker, CircuitBreaker], redis_url: str, name: str) -> None:
    one, two = pair
    _trip(one)
    eventually(lambda: two.state is State.OPEN)
    eventually(lambda: _reached(two) and _all(State.CLOSED, one, two))
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        before = client.hget(f"mita:breaker:{name}", "version")
        member = one._shared._members[name]  # type: ignore[union-attr] # it is a RedisCircuits
        member.version -= 1
        one._shared.tripped(name, "failures", ())  # type: ignore[union-attr,arg-type] # as above
        eventually(lambda: member.version == int(before or 0))
        assert client.hget(f"mita:breaker:{name}", "version") == before
    assert _all(State.CLOSED, one, two)


def test_an_operators_word_counts_in_all_processes(pair: tuple[CircuitBreaker, CircuitBreaker]) -> None:
    one, two = pair
    one.override(Override.FORCED_OPEN)
    eventually(lambda: two.state is State.FORCED_OPEN)
    two.override(None)
    eventually(lambda: _all(State.CLOSED, one, two))
    assert _reached(one)


def test_a_store_that_forgets_is_told_again(
    pair: tuple[CircuitBreaker, CircuitBreaker], redis_url: str, name: str
) -> None:
    one, two = pair
    _trip(one)
    eventually(lambda: two.state is State.OPEN)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        version = int(client.hget(f"mita:breaker:{name}", "version") or 0)
        client.flushdb()
        eventually(lambda: int(client.hget(f"mita:breaker:{name}", "version") or 0) > version)
    eventually(lambda: _reached(two) and _all(State.CLOSED, one, two))


def test_without_redis_each_process_judges_by_itself(share: Share, free_port: int) -> None:
    breaker = share(f"redis://127.0.0.1:{free_port}/0")
    eventually(lambda: breaker.ledger.storage_events["degraded"] == 1)
    _trip(breaker)
    eventually(lambda: _reached(breaker) and breaker.state is State.CLOSED)
    assert breaker.ledger.storage_events["degraded"] == 1


def test_redis_that_comes_and_goes_costs_no_call_anything(share: Share, redis_own: Server) -> None:
    one, two = share(redis_own.url), share(redis_own.url)
    eventually(lambda: _is_up(one) and _is_up(two))
    slowest = 0.0
    for _ in range(3):
        redis_own.pause()
        eventually(lambda: not _is_up(one) and not _is_up(two))
        _trip(one)
        _trip(two)
        began = time.perf_counter()
        _reached(one)
        slowest = max(slowest, time.perf_counter() - began)
        redis_own.resume()
        eventually(lambda: _is_up(one) and _is_up(two))
        eventually(lambda: _reached(one) + _reached(two) >= 0 and _all(State.CLOSED, one, two))
    assert slowest < 0.05
    assert one.ledger.storage_events == {"degraded": 3, "recovered": 3, "dropped": 0}


CHILD = """
import sys, time
from mita_otel.breakers import CircuitBreaker, Policy
from mita_otel.breakers.shared import RedisCircuits
name, url = sys.argv[1:]
policy = Policy(failure_threshold=3, open_seconds=600.0)
breaker = CircuitBreaker(name, policy, shared=RedisCircuits(url, interval=0.05))
for line in sys.stdin:
    if line == "fail\\n":
        def fail():
            raise ConnectionError
        for _ in range(3):
            try:
                breaker.call(fail)
            except ConnectionError:
                pass
    print(breaker.state.value, flush=True)
"""


def test_two_processes_agree(share: Share, redis_url: str, name: str) -> None:
    here = share(redis_url)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, name, redis_url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."},
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None

        def ask(word: str) -> str:
            child.stdin.write(f"{word}\n")  # type: ignore[union-attr] # asserted above
            child.stdin.flush()  # type: ignore[union-attr] # as above
            return child.stdout.readline().strip()  # type: ignore[union-attr] # as above

        try:
            assert ask("state") == "closed"
            eventually(lambda: _is_up(here))
            assert ask("fail") == "open"
            eventually(lambda: here.state is State.OPEN)
            here.override(None)
            eventually(lambda: ask("state") == "closed")
        finally:
            child.kill()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_shares_by_itself(share: Share, redis_url: str) -> None:
    breaker = share(redis_url)
    eventually(lambda: _is_up(breaker))
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            eventually(lambda: _is_up(breaker), timeout=5)
            _trip(breaker)
            eventually(lambda: not breaker._shared._outbox, timeout=5)  # type: ignore[union-attr] # it is a RedisCircuits
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    eventually(lambda: breaker.state is not State.CLOSED)


@pytest.mark.parametrize(("field", "value"), [("interval", 0), ("interval", 61), ("timeout", 0), ("timeout", 11)])
def test_nonsense_is_refused_with_the_name_of_the_field(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{field}={value} is not allowed"):
        RedisCircuits("redis://127.0.0.1", **{field: value})  # type: ignore[arg-type] # mypy cannot tell which field
