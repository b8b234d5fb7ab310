"""Measurements that wait together are collected as those that are added one by one."""

import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation

from mita_otel.metrics import batch
from mita_otel.metrics.batch import Batch
from mita_otel.metrics.bound import BoundHistogram, sampled
from tests.unit.metrics.test_bound import FILTERS, NONE, SAMPLED, SETS, UNSAMPLED, VIEWS, World

# Eighths, so that their sum does not depend on their order.
amounts = st.integers(0, 100).map(lambda eighths: eighths / 8)
measurements = st.tuples(st.just("record"), st.tuples(amounts, amounts), st.sampled_from([NONE, SAMPLED, UNSAMPLED]))
steps = st.lists(st.one_of(measurements, st.just(("collect",)), st.just(("fold",))), max_size=30)


class Batched(World):
    """Two histograms that are measured together, and a gauge whose reading adds what waits."""

    def __init__(self, views: Sequence[Any] = (), exemplar_filter: Any = FILTERS["trace"]) -> None:
        super().__init__(views, exemplar_filter())
        meter = self.provider.get_meter("test")
        self.size = meter.create_histogram("size", explicit_bucket_boundaries_advisory=(1, 10))
        self.batch = Batch((BoundHistogram(self.duration, SETS[1]), BoundHistogram(self.size, SETS[3])))
        meter.create_observable_gauge("folds", [self._fold])

    def _fold(self, _: CallbackOptions) -> Iterable[Observation]:
        self.batch.fold()
        return []

    def record(self, values: tuple[float, float], context: Context = NONE) -> None:
        self.batch.record(values, context, sampled(context))


@given(program=steps, views=st.sampled_from(sorted(VIEWS)), exemplar_filter=st.sampled_from(sorted(FILTERS)))
def test_a_batch_is_collected_as_the_sdks_own_measurements(
    program: list[tuple[Any, ...]], views: str, exemplar_filter: str
) -> None:
    one, other = (Batched(VIEWS[views], FILTERS[exemplar_filter]) for _ in range(2))
    for step, *given_values in [*program, ("collect",)]:
        if step == "record":
            values, context = given_values
            one.record(values, context)
            other.duration.record(values[0], SETS[1], context)
            other.size.record(values[1], SETS[3], context)
        elif step == "fold":
            one.batch.fold()
        else:
            assert one.collected() == other.collected()


def test_what_waits_is_added_when_there_is_much_of_it() -> None:
    world = Batched()
    for _ in range(batch.WAITING + 1):
        world.record((1.0, 2.0))
    assert not world.batch._waiting


def test_threads_that_record_and_collect_at_once_lose_nothing_and_count_nothing_twice() -> None:
    world, threads, each = Batched(), 4, 5_000
    done = threading.Event()

    def record() -> None:
        for _ in range(each):
            world.record((1.0, 2.0))

    def collect() -> None:
        while not done.is_set():
            world.collected()

    collector = threading.Thread(target=collect)
    recorders = [threading.Thread(target=record) for _ in range(threads)]
    for thread in (collector, *recorders):
        thread.start()
    for thread in recorders:
        thread.join()
    done.set()
    collector.join()
    cumulative = world.collected()[0]
    assert [points[0]["count"] for _, points in cumulative] == [threads * each] * 2


def test_a_forked_child_that_forgets_has_nothing_waiting_while_its_parent_has() -> None:
    world = Batched()
    for _ in range(3):
        world.record((1.0, 2.0))
    child = os.fork()
    if child == 0:
        world.batch.forget()
        os._exit(len(world.batch._waiting))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert world.collected()[0][0][1][0]["count"] == 3
