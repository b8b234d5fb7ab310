"""A bell is heard once however often it was rung, and a tally loses no count."""

import threading
import time

from mita_otel.export.bell import Bell
from mita_otel.export.statistics import Tally


def test_a_bell_that_was_rung_is_heard_at_once_and_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(5)
    assert not bell.wait(0)


def test_a_bell_wakes_its_listener() -> None:
    bell = Bell()
    threading.Timer(0.05, bell.ring).start()
    started = time.monotonic()
    assert bell.wait(5)
    assert time.monotonic() - started < 1


def test_a_tally_counts_what_many_threads_add_while_it_is_read() -> None:
    tally = Tally()

    def add_many() -> None:
        for _ in range(20_000):
            tally.add()

    threads = [threading.Thread(target=add_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    readings = [tally.value() for _ in range(1000)]
    for thread in threads:
        thread.join()
    assert tally.value() == 80_000
    assert readings == sorted(readings)
