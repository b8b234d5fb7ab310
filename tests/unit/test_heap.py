"""What stays is left out of collections, and the application's own arrangements are left alone."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from mita_otel import heap


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(heap, "_left", 0)
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


def test_a_block_is_not_interrupted_by_collections_and_they_go_on_behind_it() -> None:
    with heap.uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_a_block_has_loaded_is_old() -> None:
    with heap.uncollected():
        loaded = [[number] for number in range(1000)]
    assert gc.get_freeze_count() == 0
    old = {id(one) for one in gc.get_objects(generation=2)}
    assert {id(one) for one in loaded} <= old


def test_what_an_application_froze_stays_frozen_behind_a_block() -> None:
    gc.freeze()
    with heap.uncollected():
        pass
    assert gc.get_freeze_count() > 0


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


def test_small_collections_wait_for_more_garbage_than_a_batch_of_spans_could_be_taken_for() -> None:
    gc.set_threshold(700, 10, 10)
    heap.freeze()
    assert gc.get_threshold() == (2_000, 10, 10)


@pytest.mark.parametrize("arranged", [(50_000, 20, 30), (100, 5, 5), (0, 10, 10)])
def test_thresholds_that_someone_has_set_are_left_alone(arranged: tuple[int, int, int]) -> None:
    gc.set_threshold(*arranged)
    heap.freeze()
    assert gc.get_threshold() == arranged


def test_what_is_loaded_is_frozen_with_what_was_frozen_before() -> None:
    heap.freeze()
    first = gc.get_freeze_count()
    loaded = [[number] for number in range(1000)]
    assert heap.freeze_loaded()
    assert gc.get_freeze_count() >= first + len(loaded)


def test_what_an_application_froze_as_it_was_loaded_is_left_alone() -> None:
    heap.freeze()
    loaded = [[number] for number in range(1000)]
    gc.freeze()
    frozen = gc.get_freeze_count()
    loaded.append([])
    assert not heap.freeze_loaded()
    assert gc.get_freeze_count() <= frozen


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def full_collections() -> int:
    return int(gc.get_stats()[-1]["collections"])


def test_an_application_is_loaded_without_a_full_collection_and_what_it_lets_go_is_collected() -> None:
    # What other tests have loaded would put full collections off: they wait for a quarter more.
    gc.freeze()
    gc.collect()
    gc.set_threshold(10, 2, 2)
    before = full_collections()
    with heap.unsearched():
        cycle = Cycle()
        gone = ref(cycle)
        del cycle
        loaded = [[number] for number in range(10_000)]
        assert full_collections() == before
        assert gone() is None
    loaded += [[number] for number in range(10_000)]
    assert full_collections() > before
    assert gc.get_threshold() == (10, 2, 2)


def test_thresholds_that_an_application_sets_as_it_is_loaded_are_kept() -> None:
    with heap.unsearched():
        gc.set_threshold(5_000, 20, 30)
    assert gc.get_threshold() == (5_000, 20, 30)


def test_collections_that_an_application_switches_off_as_it_is_loaded_stay_off() -> None:
    with heap.unsearched():
        gc.disable()
    assert not gc.isenabled()
    assert not heap.freeze_loaded()


def test_an_application_that_cannot_be_loaded_leaves_the_thresholds_as_they_were() -> None:
    before = gc.get_threshold()
    with pytest.raises(ImportError), heap.unsearched():
        raise ImportError
    assert gc.get_threshold() == before
