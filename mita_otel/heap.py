"""The garbage collector, kept from looking again and again through what stays until the end of the process.

Each time that a process has loaded a quarter more, the collector looks through all of it: a fifth of the time that a
service takes to start. And once it serves, spans that wait for their delivery bring full collections about: 200 ms for
100,000 objects on a busy machine, in which no request is answered. Small ones they make nearly twice as many.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NEVER: Final = 2**31 - 1
"""Collections of the middle generation before a full one: the most that there can be."""

YOUNG: Final = 2_000
"""Containers more than at the last collection that bring about a small one; CPython's own number from 3.13 on. What is
alive at once is no garbage, and to look through it is for nothing: a batch of 512 spans that waits has 1,500. More
would save little more, and make the pauses longer: see "The garbage collector" in docs/performance.md."""

_USUAL: Final = 700
"""What that number is by itself before. Source: `gc.get_threshold()` of CPython 3.12.1 and 3.13.0."""

_left = 0
"""Objects that our last freeze has left out of collections; with time they become fewer."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold no collection while a block loads what will stay, and count it as old: no small one looks through it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@contextmanager
def unsearched() -> Iterator[None]:
    """Hold no full collection while a block loads an application, which may arrange its collections meanwhile.

    What was loaded and let go again is young, and found by the small collections.
    """
    before = gc.get_threshold()
    gc.set_threshold(*before[:2], _NEVER)
    without = gc.get_threshold()
    try:
        yield
    finally:
        if gc.get_threshold() == without:
            gc.set_threshold(*before)


def freeze() -> None:
    """Leave what there is out of collections, and let more come together before the next small one.

    Nothing is done where the application has arranged its collections itself. Reference counts go on: what is let go is
    freed. Only a cycle that exists by now and is dropped later stays.
    """
    global _left  # noqa: PLW0603 - there is one heap
    if gc.isenabled() and gc.get_freeze_count() <= _left:
        gc.freeze()
        _left = gc.get_freeze_count()
        young, *older = gc.get_threshold()
        if young == _USUAL:
            gc.set_threshold(YOUNG, *older)


def freeze_loaded() -> bool:
    """Freeze once more, and say whether that was done, for the last time: what is frozen now is not counted any more.

    To count is to look at every object: as long as a collection.
    """
    is_ours = gc.isenabled() and gc.get_freeze_count() <= _left
    if is_ours:
        gc.freeze()
    return is_ours
