"""What a service has loaded as it begins to serve is left out of garbage collections, of which there are few."""

import gc
from collections.abc import Callable
from typing import Any

import pytest

from mita_otel.heap import YOUNG


@pytest.fixture
def heap(launch: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    def ask(**variables: str) -> dict[str, Any]:
        service = launch(**variables)
        told: dict[str, Any] = service.client.get("/heap").json()
        service.stop()
        return told

    return ask


def test_the_heap_is_frozen_as_the_service_begins_to_serve(heap: Callable[..., dict[str, Any]]) -> None:
    told = heap()
    assert told["frozen"] > 10_000
    assert told["threshold"] == [YOUNG, *gc.get_threshold()[1:]]


def test_it_is_left_as_it_is_where_that_is_asked_for(heap: Callable[..., dict[str, Any]]) -> None:
    assert heap(MITA_GC_FREEZE="false") == {"frozen": 0, "threshold": list(gc.get_threshold())}
