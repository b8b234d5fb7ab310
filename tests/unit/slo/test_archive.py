"""What others told is added up as counting slice by slice says, whole hours as one or not."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.archive import Archive, Slice, sums
from mita_otel.slo.windows import HOUR

HOURS = 30
FINE_FROM = 5
BEGAN = 497_000
"""The first hour; the last of thirty is under way, and of the last 25 the minutes are there."""


def _archive(minutes: dict[int, tuple[int, float]], *, hours: set[int], until: int) -> Archive:
    """Return an archive of minutes, by number since it began; of hours it has the sums of some."""
    held = {BEGAN * 60 + minute: Slice(array("q", [good, 0]), watched) for minute, (good, watched) in minutes.items()}
    added = {}
    for hour in range(HOURS):
        mine = [each for slot, each in held.items() if slot // 60 == BEGAN + hour]
        if mine and (hour < FINE_FROM or hour in hours):
            cells = sums([each.cells for each in mine], 2)
            added[BEGAN + hour] = Slice(cells, sum(each.watched for each in mine) / 60)
    first = (BEGAN + FINE_FROM) * HOUR
    fine = {slot: each for slot, each in held.items() if slot * 60 >= first}
    return Archive(1, "redis", BEGAN * HOUR + until, 60, fine, first, added)


@given(
    st.dictionaries(st.integers(0, HOURS * 60 - 1), st.tuples(st.integers(0, 9), st.sampled_from([0.5, 1.0]))),
    st.sets(st.integers(FINE_FROM, HOURS - 1)),
    st.integers(FINE_FROM * HOUR, HOURS * HOUR - 1),
    st.integers(0, HOURS * HOUR - 1),
    st.integers(0, 1),
)
def test_what_came_since_a_moment_is_what_adding_up_says(
    minutes: dict[int, tuple[int, float]], hours: set[int], until: int, moment: int, cut: int
) -> None:
    minutes = {minute: each for minute, each in minutes.items() if minute <= until // 60}
    past = _archive(minutes, hours=hours, until=until).since(
        BEGAN * HOUR + moment, BEGAN * HOUR + until if cut else None
    )
    first = moment // 60 if moment >= FINE_FROM * HOUR else moment // HOUR * 60
    last = until // 60
    counted = {minute: each for minute, each in minutes.items() if first <= minute < last + 1 - cut}
    assert list(past.cells) == [sum(good for good, _ in counted.values()), 0]
    watched = sum(share for minute, (_, share) in counted.items() if minute < last)
    assert past.coverage == pytest.approx(watched / (last - first) if last > first else 1)
    assert 0 <= past.coverage <= past.continuity <= 1


def test_nothing_told_is_nothing_watched() -> None:
    past = _archive({}, hours=set(), until=HOURS * HOUR - 1).since(BEGAN * HOUR)
    assert (list(past.cells), past.coverage) == ([0, 0], 0)
