"""Looks beside the collection."""

import os
import threading

import pytest

from mita_otel.metrics.looks import NEVER, Look
from tests.fixtures.polling import eventually


def test_a_look_is_taken_beside_and_remembered() -> None:
    look = Look(threading.get_ident, "test-look")
    assert (look.seen, look.seen_at) == (None, NEVER)
    look.ask()
    look.wait(5)
    assert look.seen not in {None, threading.get_ident()}
    assert look.under_way_for == 0


def test_one_that_hangs_blocks_no_one_and_is_not_taken_twice() -> None:
    release, taken = threading.Event(), []

    def hang() -> int:
        taken.append(1)
        release.wait(10)
        return len(taken)

    look = Look(hang, "test-look")
    for _ in range(5):
        look.ask()
        look.wait(0.01)
    assert (look.seen, len(taken)) == (None, 1)
    assert look.under_way_for > 0
    release.set()
    assert eventually(lambda: look.seen) == 1
    eventually(lambda: look.under_way_for == 0)


def test_one_that_raises_leaves_the_result_before() -> None:
    results = iter([1])
    look = Look(lambda: next(results), "test-look")
    for _ in range(2):
        look.ask()
        look.wait(5)
    assert look.seen == 1


def test_no_thread_is_left_behind() -> None:
    look = Look(lambda: 1, "test-look-thread")
    look.ask()
    look.wait(5)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "test-look-thread"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that a process with threads forks is the point
def test_a_child_does_not_wait_for_a_look_of_its_parent() -> None:
    release = threading.Event()
    look = Look(lambda: release.wait(10), "test-look")
    look.ask()
    child = os.fork()
    if child == 0:
        os._exit(0 if look.under_way_for == 0 else 1)
    status = os.waitpid(child, 0)[1]
    release.set()
    assert status == 0
