"""Which span is responsible for each moment of a trace."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.reading.critical_path import Node, Section, critical_path


def node(name: str, start: int, end: int, parent: str = "", *, served: bool = False) -> Node:
    return Node(name.encode(), parent.encode(), start, end, served)


def path(*nodes: Node) -> list[tuple[str, int, int]]:
    return [(section.id.decode(), section.start, section.end) for section in critical_path(nodes)]


def test_a_trace_without_spans_has_no_path() -> None:
    assert path() == []


def test_a_root_alone_is_the_path() -> None:
    assert path(node("root", 3, 10)) == [("root", 3, 10)]


def test_a_root_without_duration_has_no_path() -> None:
    assert path(node("root", 3, 3)) == []


def test_time_that_no_child_covers_is_the_spans_own() -> None:
    nodes = [node("root", 0, 100), node("first", 10, 30, "root"), node("second", 50, 90, "root")]
    assert path(*nodes) == [
        ("root", 0, 10),
        ("first", 10, 30),
        ("root", 30, 50),
        ("second", 50, 90),
        ("root", 90, 100),
    ]


def test_of_children_at_the_same_time_the_one_that_finished_last_counts() -> None:
    nodes = [node("root", 0, 100), node("short", 10, 40, "root"), node("long", 10, 90, "root")]
    assert path(*nodes) == [("root", 0, 10), ("long", 10, 90), ("root", 90, 100)]


def test_a_child_that_had_not_finished_when_the_last_one_began_is_not_on_the_path() -> None:
    nodes = [node("root", 0, 100), node("before", 0, 60, "root"), node("last", 50, 100, "root")]
    assert path(*nodes) == [("root", 0, 50), ("last", 50, 100)]


def test_the_walk_goes_into_children_of_children() -> None:
    nodes = [node("root", 0, 100), node("child", 20, 80, "root"), node("grandchild", 30, 70, "child")]
    assert path(*nodes) == [
        ("root", 0, 20),
        ("child", 20, 30),
        ("grandchild", 30, 70),
        ("child", 70, 80),
        ("root", 80, 100),
    ]


def test_a_child_that_outlives_its_parent_was_not_waited_for() -> None:
    nodes = [node("root", 0, 100), node("background", 50, 200, "root"), node("query", 10, 20, "root")]
    assert path(*nodes) == [("root", 0, 10), ("query", 10, 20), ("root", 20, 100)]


def test_the_servers_side_of_a_call_counts_within_the_clients_though_its_clock_differs() -> None:
    nodes = [node("call", 10, 60), node("served", 5, 70, "call", served=True)]
    assert path(*nodes) == [("served", 10, 60)]


def test_a_child_that_began_before_its_parent_counts_from_its_parents_start() -> None:
    assert path(node("root", 10, 60), node("early", 0, 50, "root")) == [("early", 10, 50), ("root", 50, 60)]


def test_a_child_outside_of_its_parents_time_is_not_on_the_path() -> None:
    nodes = [node("root", 10, 60), node("before", 0, 5, "root"), node("after", 70, 90, "root", served=True)]
    assert path(*nodes) == [("root", 10, 60)]


def test_spans_whose_parent_is_missing_are_left_out_where_there_is_a_root() -> None:
    assert path(node("root", 0, 10), node("lost", 0, 90, "missing")) == [("root", 0, 10)]


def test_without_a_root_the_longest_span_without_a_parent_serves() -> None:
    nodes = [node("short", 0, 10, "missing"), node("long", 5, 90, "gone"), node("child", 10, 90, "long")]
    assert path(*nodes) == [("long", 5, 10), ("child", 10, 90)]


@pytest.mark.parametrize("parents", [("b", "a"), ("a", "a")])
def test_spans_that_are_one_anothers_ancestors_do_not_keep_it_going(parents: tuple[str, str]) -> None:
    assert path(node("a", 0, 50, parents[0]), node("b", 10, 40, parents[1]))[0] == ("a", 0, 10)


def test_a_chain_may_be_longer_than_recursion() -> None:
    chain = [node("0", 0, 5000), *(node(str(depth), depth, 5000, str(depth - 1)) for depth in range(1, 5000))]
    assert len(path(*chain)) == 5000


@st.composite
def traces(draw: st.DrawFn) -> list[Node]:
    """Traces of any shape: overlaps, circles, missing parents, children outside of their parents' time."""
    count = draw(st.integers(1, 12))
    names = [str(number) for number in range(count)]
    moment = st.integers(0, 100)
    made = []
    for name in names:
        start, end = sorted((draw(moment), draw(moment)))
        made.append(node(name, start, end, draw(st.sampled_from([*names, "", "missing"])), served=draw(st.booleans())))
    return made


@given(traces())
def test_the_sections_cover_one_span_from_its_start_to_its_end_once(nodes: list[Node]) -> None:
    sections = critical_path(nodes)
    if not sections:
        return
    assert all(section.start < section.end for section in sections)
    assert all(before.end == after.start for before, after in pairwise(sections))
    assert any((sections[0].start, sections[-1].end) == (one.start, one.end) for one in nodes)


@given(traces())
def test_each_section_lies_within_its_span(nodes: list[Node]) -> None:
    by_id = {one.id: one for one in nodes}
    for section in critical_path(nodes):
        assert by_id[section.id].start <= section.start
        assert section.end <= by_id[section.id].end


@given(traces(), st.randoms(use_true_random=False))
def test_the_order_in_which_spans_came_does_not_matter(nodes: list[Node], shuffling: random.Random) -> None:
    shuffled = list(nodes)
    shuffling.shuffle(shuffled)
    assert critical_path(shuffled) == critical_path(nodes)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20))
def test_children_one_after_the_other_are_all_on_the_path(lengths: list[int]) -> None:
    children = []
    at = 0
    for number, length in enumerate(lengths):
        children.append(node(str(number), at, at + length, "root"))
        at += length
    assert critical_path([node("root", 0, at), *children]) == [
        Section(child.id, child.start, child.end) for child in children
    ]
