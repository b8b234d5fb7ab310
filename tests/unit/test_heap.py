"""What stays is left out of collections, and the application's own arrangements are left alone."""

import gc
from collections.abc import Iterator

import pytest

from mita_otel import heap


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heap, "_left", 0)
    yield
    gc.enable()
    gc.unfreeze()


def test_a_block_is_not_interrupted_by_collections_and_they_go_on_behind_it() -> None:
    with heap.uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_they_go_on_behind_a_block_that_fails() -> None:
    with pytest.raises(ImportError), heap.uncollected():
        raise ImportError
    assert gc.isenabled()


def test_they_stay_off_where_the_application_has_switched_them_off() -> None:
    gc.disable()
    with heap.uncollected():
        pass
    heap.freeze()
    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_heap_is_frozen_again_with_what_was_loaded_since() -> None:
    heap.freeze()
    first = gc.get_freeze_count()
    loaded = [[number] for number in range(1000)]
    heap.freeze()
    assert gc.get_freeze_count() >= first + len(loaded)


def test_a_heap_that_the_application_froze_is_left_alone() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    loaded = [[number] for number in range(1000)]
    heap.freeze()
    assert gc.get_freeze_count() <= frozen
    assert loaded
