"""The queue between those who log and the one who writes: bounded, in order, and never in anybody's way."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from mita_otel.logs.backlog import SLICE, Backlog
from tests.fixtures.polling import eventually

Open = Callable[..., Backlog[int]]


class Writer:
    """Keeps what was written; can be held up."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.dropped: list[int] = []
        self.threads: set[str] = set()
        self.go = threading.Event()
        self.go.set()

    def __call__(self, batch: Sequence[int]) -> None:
        assert self.go.wait(30)
        self.threads.add(threading.current_thread().name)
        self.written += batch


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def begin(writer: Writer) -> Iterator[Open]:
    opened: list[Backlog[int]] = []

    def build(**options: float) -> Backlog[int]:
        opened.append(Backlog(writer, writer.dropped.append, **{"gather": 0.001, **options}))  # type: ignore[arg-type] # numbers
        return opened[-1]

    yield build
    writer.go.set()
    for backlog in opened:
        backlog.close(5)


def test_items_are_written_in_their_order_by_a_thread_of_its_own(begin: Open, writer: Writer) -> None:
    backlog = begin()
    for number in range(1000):
        backlog.put(number)

    eventually(lambda: len(writer.written) == 1000)
    assert writer.written == list(range(1000))
    assert writer.threads == {"mita-logs"}


def test_a_flush_does_not_wait_until_items_have_gathered(begin: Open, writer: Writer) -> None:
    backlog = begin(gather=60)
    backlog.put(1)

    assert backlog.flush(5)
    assert writer.written == [1]
    assert writer.threads == {"mita-logs"}


def test_a_thread_can_write_by_itself(begin: Open, writer: Writer) -> None:
    backlog = begin(gather=60)
    backlog.put(1)

    assert backlog.write(5)
    assert writer.threads == {threading.current_thread().name}


def test_a_full_queue_gives_up_its_oldest_and_says_so(begin: Open, writer: Writer) -> None:
    backlog = begin(gather=60, capacity=10)
    for number in range(25):
        backlog.put(number)
    backlog.flush(5)

    assert writer.dropped == list(range(15))
    assert writer.written == list(range(15, 25))


def test_a_writer_that_hangs_holds_nobody_up(begin: Open, writer: Writer) -> None:
    backlog = begin(capacity=100)
    writer.go.clear()
    for number in range(1000):
        backlog.put(number)

    assert not backlog.flush(0.05)
    assert backlog.waiting <= 100
    writer.go.set()
    eventually(lambda: backlog.waiting == 0)
    assert backlog.flush(5)
    assert len(writer.written) + len(writer.dropped) == 1000


def test_after_closing_each_item_is_written_at_once(begin: Open, writer: Writer) -> None:
    backlog = begin(gather=60)
    backlog.put(1)
    assert backlog.close(5)
    backlog.put(2)

    assert writer.written == [1, 2]


def test_a_flush_within_a_write_does_not_wait_for_itself(writer: Writer) -> None:
    answers: list[bool] = []
    backlog: Backlog[int] = Backlog(lambda _: answers.append(backlog.flush(30)), writer.dropped.append, gather=60)
    for number in range(SLICE + 1):
        backlog.put(number)
    backlog.flush(30)

    assert answers == [False, False]
    backlog.close(1)


def test_a_writer_that_hangs_at_the_end_is_waited_for_once(begin: Open, writer: Writer) -> None:
    backlog = begin()
    writer.go.clear()
    backlog.put(1)
    eventually(lambda: backlog.waiting == 0)

    assert not backlog.close(0.01)
    started = time.monotonic()
    for number in range(100):
        backlog.put(number)
    assert time.monotonic() - started < 10


def test_many_threads_lose_and_double_nothing(begin: Open, writer: Writer) -> None:
    backlog = begin()

    def work(first: int) -> None:
        for number in range(first, first + 1000):
            backlog.put(number)
            if number % 100 == 0:
                backlog.flush(5)

    threads = [threading.Thread(target=work, args=(first * 1000,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backlog.flush(5)

    assert sorted(writer.written) == list(range(8000))
    assert all(
        [number for number in writer.written if number // 1000 == first]
        == list(range(first * 1000, first * 1000 + 1000))
        for first in range(8)
    )
