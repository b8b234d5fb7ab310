"""Retries whose waits take no time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina

from mita_otel.retries import Policy, Registry, Retry


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def retry(registry: Registry) -> Callable[..., Retry]:
    """Make retries of a dependency that wait for no time worth telling."""

    def make(name: str = "dependency", **policy: Any) -> Retry:
        return Retry(name, Policy(**{"base_seconds": 0.0001, **policy}), registry=registry)

    return make


@pytest.fixture(autouse=True)
def _stamina_as_it_was() -> Iterator[None]:
    yield
    stamina.set_active(True)
    stamina.set_testing(False)
