"""The breakers under one interface, all set alike: five failures open, one probe closes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias

import aiobreaker
import interlock
import purgatory
import pybreaker
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy, Registry

FAILURES: Final = 5
WAIT: Final = 0.2
"""Seconds open."""
SLOW: Final = 0.02
"""Seconds, from which on a call is slow where that can be set."""

Dependency: TypeAlias = Callable[[], Awaitable[object]]
Guarded: TypeAlias = Callable[[Dependency], Awaitable[object]]
"""Awaits a dependency through a breaker."""


@dataclass(frozen=True)
class Subject:
    """One library.

    Attributes:
        make: makes a breaker, and returns the way through it.
        make_sync: the same for plain functions, where it has them.
        refusal: what it raises instead of calling.
        has_slow_calls: whether it can be told what is slow.
        is_threaded: whether it knows threads only, so that its calls are made from some.
    """

    name: str
    make: Callable[[], Guarded]
    refusal: type[BaseException]
    make_sync: Callable[[], Callable[[Callable[[], object]], object]] | None = None
    has_slow_calls: bool = False
    is_threaded: bool = False


def _ours(*, meter: Any = None, **fields: Any) -> CircuitBreaker:
    policy = Policy(open_seconds=WAIT, open_jitter=0.0, success_threshold=1, half_open_calls=1, **fields)
    return CircuitBreaker("api", policy, registry=Registry(), meter=meter)


def _by_rate(**fields: Any) -> CircuitBreaker:
    return _ours(mode="rate", window_size=100, minimum_calls=FAILURES, slow_seconds=SLOW, **fields)


def _measured() -> CircuitBreaker:
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    return _by_rate(meter=provider.get_meter("benchmark"))


def _interlock() -> interlock.CircuitBreaker:
    config = interlock.Config(
        minimum_number_of_calls=FAILURES,
        permitted_calls_in_half_open=1,
        wait_duration_in_open=WAIT,
        slow_call_duration_threshold=SLOW,
    )
    return interlock.CircuitBreaker(name="api", config=config)


def _aiobreaker() -> Guarded:
    breaker = aiobreaker.CircuitBreaker(fail_max=FAILURES, timeout_duration=timedelta(seconds=WAIT))
    return partial(breaker.call_async)


def _purgatory() -> Guarded:
    factory = purgatory.AsyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=WAIT)

    async def guarded(dependency: Dependency) -> object:
        async with await factory.get_breaker("api"):  # as its documentation and its decorator do
            return await dependency()

    return guarded


def _purgatory_sync() -> Callable[[Callable[[], object]], object]:
    factory = purgatory.SyncCircuitBreakerFactory(default_threshold=FAILURES, default_ttl=WAIT)

    def guarded(dependency: Callable[[], object]) -> object:
        with factory.get_breaker("api"):
            return dependency()

    return guarded


def _pybreaker() -> pybreaker.CircuitBreaker:
    return pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=WAIT)


def _pybreaker_in_threads() -> Guarded:
    breaker = _pybreaker()

    async def guarded(dependency: Dependency) -> object:
        loop = asyncio.get_running_loop()

        def call() -> object:
            async def run() -> object:
                return await dependency()

            return asyncio.run_coroutine_threadsafe(run(), loop).result()

        return await asyncio.to_thread(breaker.call, call)

    return guarded


SUBJECTS: Final = (
    Subject(
        "pybreaker 1.4.1", _pybreaker_in_threads, pybreaker.CircuitBreakerError, lambda: _pybreaker().call,
        is_threaded=True,
    ),
    Subject("purgatory 3.0.1", _purgatory, purgatory.domain.model.OpenedState, _purgatory_sync),
    Subject(
        "aiobreaker 1.2.0", _aiobreaker, aiobreaker.CircuitBreakerError,
        lambda: aiobreaker.CircuitBreaker(fail_max=FAILURES).call,
    ),
    Subject(
        "interlock-cb 2.8.2", lambda: _interlock().call, interlock.CircuitOpenError, lambda: _interlock().call,
        has_slow_calls=True,
    ),
    Subject("mita_otel, in a row", lambda: _ours().call_async, CircuitOpenError, lambda: _ours().call),
    Subject(
        "mita_otel, by rate", lambda: _by_rate().call_async, CircuitOpenError, lambda: _by_rate().call,
        has_slow_calls=True,
    ),
    Subject(
        "mita_otel, by rate, with metrics on", lambda: _measured().call_async, CircuitOpenError,
        lambda: _measured().call, has_slow_calls=True,
    ),
)  # fmt: skip


async def wait_out() -> None:
    """Wait until an open breaker may be probed."""
    await asyncio.sleep(WAIT * 1.2)
