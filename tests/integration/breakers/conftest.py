"""Breakers that share their state through a real Redis."""

import uuid
from collections.abc import Callable, Iterator

import pytest

from mita_otel.breakers import CircuitBreaker, Policy, Registry
from mita_otel.breakers.shared import RedisCircuits

POLICY = Policy(failure_threshold=3, success_threshold=2, open_seconds=0.3, open_jitter=0.0, probe_seconds=5.0)


@pytest.fixture
def name() -> str:
    return f"b{uuid.uuid4().hex[:12]}"


@pytest.fixture
def share(name: str) -> Iterator[Callable[..., CircuitBreaker]]:
    """Make a breaker of the test's name that is to Redis what one of another process would be."""
    made: list[CircuitBreaker] = []

    def share(url: str, policy: Policy = POLICY) -> CircuitBreaker:
        circuits = RedisCircuits(url, interval=0.05, timeout=0.5)
        made.append(CircuitBreaker(name, policy, registry=Registry(), shared=circuits))
        return made[-1]

    yield share
    for breaker in made:
        breaker.retire()
