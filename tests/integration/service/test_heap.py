"""What a service has loaded as it begins to serve is left out of garbage collections."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def frozen_objects(launch: Callable[..., Any]) -> Callable[..., int]:
    def ask(**variables: str) -> int:
        service = launch(**variables)
        count: int = service.client.get("/heap").json()["frozen"]
        service.stop()
        return count

    return ask


def test_the_heap_is_frozen_as_the_service_begins_to_serve(frozen_objects: Callable[..., int]) -> None:
    assert frozen_objects() > 10_000


def test_it_is_left_as_it_is_where_that_is_asked_for(frozen_objects: Callable[..., int]) -> None:
    assert frozen_objects(MITA_GC_FREEZE="false") == 0
