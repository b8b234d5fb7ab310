"""The real breakers of other libraries, told of by our instruments."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiobreaker
import interlock
import purgatory
import pybreaker
import pytest
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel.breakers import Override, Registry, State
from mita_otel.breakers.adapters import aiobreaker as of_aiobreaker
from mita_otel.breakers.adapters import interlock as of_interlock
from mita_otel.breakers.adapters import purgatory as of_purgatory
from mita_otel.breakers.adapters import pybreaker as of_pybreaker

Points = Callable[[str], dict[tuple[str, ...], Any]]


def _fail() -> None:
    raise ConnectionError


async def _fail_async() -> None:
    raise ConnectionError


async def _succeed_async() -> None:
    """Do nothing."""


def _told(points: Points) -> tuple[dict[str, int], list[str], list[tuple[str, ...]]]:
    """Calls by outcome, the state, and the changes of the state."""
    calls = {outcome: count for (_, outcome), count in points("mita.circuit_breaker.calls").items() if count}
    states = [state for (_, state), is_in in points("mita.circuit_breaker.state").items() if is_in]
    changes = [change[1:3] for change, count in points("mita.circuit_breaker.transitions").items() if count]
    return calls, states, changes


def test_pybreaker(registry: Registry, provider: MeterProvider, points: Points) -> None:
    breaker = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=0.01)
    watched = of_pybreaker.watch(breaker, "api", registry=registry, meter=provider.get_meter("test"))
    breaker.call(lambda: None)
    for _ in range(2):
        with contextlib.suppress(ConnectionError, pybreaker.CircuitBreakerError):
            breaker.call(_fail)
    assert _told(points) == ({"success": 1, "failure": 2}, ["open"], [("closed", "open")])
    assert points("mita.circuit_breaker.call.duration") == {("api", "success"): 1, ("api", "failure"): 2}
    with pytest.raises(NotImplementedError, match="another library"):
        watched.override(Override.FORCED_OPEN)
    watched.retire()
    assert len(registry) == 0


async def test_aiobreaker(registry: Registry, provider: MeterProvider, points: Points) -> None:
    breaker = aiobreaker.CircuitBreaker(fail_max=2, timeout_duration=timedelta(hours=1))
    of_aiobreaker.watch(breaker, "api", registry=registry, meter=provider.get_meter("test"))
    await breaker.call_async(_succeed_async)
    for _ in range(2):
        with contextlib.suppress(ConnectionError, aiobreaker.CircuitBreakerError):
            await breaker.call_async(_fail_async)
    assert _told(points) == ({"success": 1, "failure": 2}, ["open"], [("closed", "open")])
    assert points("mita.circuit_breaker.call.duration") == {("api", "success"): 1, ("api", "failure"): 2}


async def test_purgatory(registry: Registry, provider: MeterProvider, points: Points) -> None:
    factory = purgatory.AsyncCircuitBreakerFactory(default_threshold=2, default_ttl=0.01)
    made = of_purgatory.watch(factory, registry=registry, meter=provider.get_meter("test"))
    for _ in range(2):
        with contextlib.suppress(ConnectionError):
            async with await factory.get_breaker("Api 1"):
                await _fail_async()
    assert _told(points) == ({"failure": 2}, ["open"], [("closed", "open")])
    assert made["Api 1"].ledger.name == "api_1"


async def test_interlock(registry: Registry, provider: MeterProvider, points: Points) -> None:
    listener = of_interlock.Listener("api", registry=registry, meter=provider.get_meter("test"))
    config = interlock.Config(minimum_number_of_calls=2, failure_rate_threshold=0.5)
    breaker = interlock.CircuitBreaker(name="api", config=config, listener=listener)
    assert _told(points) == ({}, ["closed"], [])
    await breaker.call(_succeed_async)
    for _ in range(2):
        with contextlib.suppress(ConnectionError, interlock.CircuitOpenError):
            await breaker.call(_fail_async)
    with pytest.raises(interlock.CircuitOpenError):
        await breaker.call(_fail_async)
    calls, states, changes = _told(points)
    assert (states, changes) == (["open"], [("closed", "open")])
    assert calls["rejected"] >= 1
    assert calls["success"] == 1
    breaker.reset()
    assert listener.watched("api").ledger.state is State.CLOSED
    listener.on_storage_degraded(name="api", error=ConnectionError())
    listener.on_storage_recovered(name="api")
    listener.on_storage_write_dropped(name="api")
    assert points("mita.circuit_breaker.storage.events") == {
        ("api", "degraded"): 1, ("api", "recovered"): 1, ("api", "dropped"): 1,
    }  # fmt: skip
