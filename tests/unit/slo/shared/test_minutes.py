"""What a process tells others of its minutes: all that it counted, whatever happens to who is told."""

from array import array
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.counts import Cells
from mita_otel.slo.shared.clock import SharedClock
from mita_otel.slo.shared.minutes import KEPT, Minutes
from mita_otel.slo.shared.texts import read, short, written

BEGAN = 29_820_000 * 60
NAMES = tuple(short(f"objective-{number}") for number in range(3))
PLACES = {name: place for place, name in enumerate(NAMES)}


def _counted(good: int) -> Callable[[], Cells]:
    return lambda: array("q", [good, 0])


@given(st.lists(st.tuples(st.integers(-90, 400), st.integers(0, 9), st.booleans()), max_size=40))
def test_what_is_told_is_what_was_counted(steps: list[tuple[int, int, bool]]) -> None:
    minutes, now, total = Minutes(), float(BEGAN), 0
    others: dict[int, int] = {}
    for wait, events, is_told in steps:
        now += wait
        total += events
        minutes.note(now, _counted(total))
        if is_told:
            untold = minutes.untold(1_000)
            others |= {minute: cells[0] for minute, cells in untold}
            minutes.told(untold[-1][0])
    minutes.note(now, _counted(total))
    told = minutes.untold(1_000)
    assert sum((others | {minute: cells[0] for minute, cells in told}).values()) == total
    assert [minute for minute, _ in told] == sorted({minute for minute, _ in told})
    assert minutes.lost == 0


def test_no_more_than_a_day_is_kept_and_what_nobody_was_told_is_counted() -> None:
    minutes = Minutes()
    for minute in range(2 * KEPT):
        minutes.note(BEGAN + 60 * minute, _counted(minute + 1))
    assert len(minutes.untold(10_000)) == KEPT + 1
    assert minutes.lost == KEPT - 1


@given(st.lists(st.integers(0, 10**12), min_size=6, max_size=6))
def test_counts_are_read_as_they_are_written(values: list[int]) -> None:
    cells = array("q", values)
    found = read(f"3 {written(cells, NAMES)}", PLACES, 60)
    assert found is not None
    assert (found.cells, found.watched) == (cells, 0.05)


@given(st.text())
def test_whatever_stands_in_the_place_of_counts_is_no_fault(text: str) -> None:
    found = read(text, PLACES)
    assert found is None or min(found.cells) >= 0


def test_counts_of_other_objectives_are_left_out() -> None:
    found = read(f"1 {short('another')}:5:5 {NAMES[2]}:7:1 ", PLACES)
    assert found is not None
    assert list(found.cells) == [0, 0, 0, 0, 7, 1]


def test_the_shared_time_goes_on_whatever_is_done_to_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, steps = SharedClock(), iter([100.0, 160.0])
    monkeypatch.setattr("mita_otel.slo.shared.clock.time.monotonic", lambda: next(steps))
    clock.set(1_000_000.0, 100.0)
    monkeypatch.setattr("mita_otel.slo.shared.clock.time.time", lambda: 5.0)
    assert [clock.now(), clock.now()] == [1_000_000.0, 1_000_060.0]
