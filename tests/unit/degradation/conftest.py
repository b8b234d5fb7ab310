"""Flags that a test sets, and features that give their names back."""

from collections.abc import Callable, Iterator

import pytest
from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from mita_otel.degradation import flags

Flag = Callable[..., None]


@pytest.fixture
def flag() -> Iterator[Flag]:
    """Set a flag to a value, for the test."""
    known: dict[str, InMemoryFlag[object]] = {}

    def use(name: str, value: object) -> None:
        known[name] = InMemoryFlag("chosen", {"chosen": value})
        flags.use_provider(InMemoryProvider(known))

    yield use
    api.clear_providers()
    flags._client.cache_clear()
    flags._chosen.clear()
