"""Contributors add up to the bad events, whatever happens, and stay few."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext, TraceFlags

from mita_otel.slo.ledger import book
from mita_otel.slo.ledger.book import CONTRIBUTORS_AT_MOST, OTHER, Book, Contributions
from mita_otel.slo.ledger.causes import DIMENSIONS, LONGEST, Cause

BEGAN = 1_790_000_000 // 86_400 * 86_400
NOTHING = Cause("none", "none", "none", "none", "none")


class Clock:
    def __init__(self) -> None:
        self.now = float(BEGAN)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _span(trace: int) -> SpanContext:
    return SpanContext(trace, 1, is_remote=False, trace_flags=TraceFlags(1))


def _sums(found: Contributions) -> set[float]:
    return {sum(each.bad for each in found[dimension]) for dimension in DIMENSIONS}


def _route(found: Contributions) -> dict[str, float]:
    return {each.contributor: each.bad for each in found["route"]}


words = st.integers(0, 80).map(lambda number: f"word-{number}")
spending = st.tuples(
    st.sets(st.integers(0, 3), min_size=1),
    st.builds(Cause, words, words, words, words, words),
    st.one_of(st.floats(-100, 4_000), st.floats(0, 40 * 86_400)),
)


@given(st.lists(spending, max_size=200))
def test_the_contributors_of_each_dimension_add_up_to_the_bad_events_and_are_few(
    events: list[tuple[set[int], Cause, float]],
) -> None:
    clock = Clock()
    kept = Book(clock)
    counted: Counter[int] = Counter()
    for slos, cause, later in events:
        clock.now = min(clock.now + later, BEGAN + 31 * 86_400)
        kept.spend(tuple(slos), cause)
        counted.update(slos)
    past = kept.since(BEGAN - 3_600)
    assert past.spent.keys() == counted.keys()
    for slo, found in past.spent.items():
        assert _sums(found) == {counted[slo]}
        assert all(len(found[dimension]) <= CONTRIBUTORS_AT_MOST + 1 for dimension in DIMENSIONS)


@given(st.lists(spending, min_size=1, max_size=100), st.floats(0, 31 * 86_400))
def test_a_window_has_what_came_since_its_beginning(events: list[tuple[set[int], Cause, float]], before: float) -> None:
    clock = Clock()
    kept = Book(clock)
    times: list[tuple[int, float]] = []
    latest = clock.now
    for slos, cause, later in events:
        clock.now = min(clock.now + later, BEGAN + 31 * 86_400)
        # What a clock that steps back says belongs to the slice under way.
        latest = max(latest, clock.now // 60 * 60)
        kept.spend(tuple(slos), cause)
        times += [(slo, max(clock.now, latest)) for slo in slos]
    past = kept.since(clock.now - before)
    assert past.since <= clock.now - before < past.since + 3_600
    counted = Counter(slo for slo, at in times if at >= past.since)
    assert {slo: _sums(found) for slo, found in past.spent.items()} == {slo: {bad} for slo, bad in counted.items()}


def test_the_biggest_contributor_comes_first(clock: Clock) -> None:
    kept = Book(clock)
    for route, times in (("/a", 1), ("/b", 3), ("/c", 2)):
        for _ in range(times):
            kept.spend((0,), NOTHING._replace(route=route))
    assert list(_route(kept.since(BEGAN).spent[0]).items()) == [("/b", 3), ("/c", 2), ("/a", 1)]


def test_those_beyond_fifty_are_told_as_one(clock: Clock) -> None:
    kept = Book(clock)
    for number in range(CONTRIBUTORS_AT_MOST + 5):
        kept.spend((0,), NOTHING._replace(route=f"/{number}"))
    found = _route(kept.since(BEGAN).spent[0])
    assert (len(found), found[OTHER]) == (CONTRIBUTORS_AT_MOST + 1, 5)


def test_the_three_newest_traces_are_kept_with_the_newest_first(clock: Clock) -> None:
    kept = Book(clock)
    for number in range(5):
        clock.now += 1
        kept.spend((0,), NOTHING, _span(number + 1))
    kept.spend((0,), NOTHING)
    [only] = kept.since(BEGAN).spent[0]["route"]
    assert [trace.id for trace in only.traces] == [f"{number:032x}" for number in (5, 4, 3)]


def test_a_trace_from_before_the_window_is_not_shown_for_it(clock: Clock) -> None:
    kept = Book(clock)
    kept.spend((0,), NOTHING, _span(1))
    clock.now += 7_200
    kept.spend((0,), NOTHING)
    [only] = kept.since(clock.now - 600).spent[0]["route"]
    assert (only.bad, only.traces) == (1, ())


def test_what_is_older_than_the_longest_period_is_forgotten(clock: Clock) -> None:
    kept = Book(clock)
    kept.spend((0,), NOTHING)
    clock.now += 33 * 86_400
    kept.spend((1,), NOTHING)
    assert kept.since(BEGAN - 3_600).spent.keys() == {1}


def test_a_long_word_is_cut(clock: Clock) -> None:
    kept = Book(clock)
    kept.spend((0,), NOTHING._replace(route="/a" * 1_000))
    assert _route(kept.since(BEGAN).spent[0]) == {"/a" * (LONGEST // 2): 1}


def test_causes_beyond_the_most_are_told_as_other(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MIXES_AT_MOST", 3)
    kept = Book(clock)
    for number in range(10):
        kept.spend((0, 1), NOTHING._replace(route=f"/{number}"))
    found = kept.since(BEGAN).spent
    assert _route(found[0]) == _route(found[1]) == {"/0": 1, "/1": 1, "/2": 1, OTHER: 7}


def test_too_much_to_keep_costs_exactness_in_time_and_no_event(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "ENTRIES_AT_MOST", 100)
    kept = Book(clock)
    for hour in range(200):
        clock.now = BEGAN + 3_600 * hour
        kept.spend((0,), NOTHING._replace(route=f"/{hour % 7}"))
    past = kept.since(BEGAN)
    assert _sums(past.spent[0]) == {200}
    assert sum(len(each.counts) for each in (*kept._hours, *kept._minutes)) <= 105
    # The time that is asked for begins within what became one: all of that is told, and said.
    earlier = kept.since(BEGAN + 3_600)
    assert (earlier.since, _sums(earlier.spent[0])) == (BEGAN, {200})
