import logging
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.budget import Count
from mita_otel.slo.counts import Counts, count_of
from mita_otel.slo.events import PLANS_AT_MOST, Events
from tests.unit.slo.openslo import EVENTS, LATENCY, requests, slo, specification, within

Told = Callable[[str], Count]

SLOS = specification(
    slo("available", ratio=requests("/orders/*")),
    slo("fast", about="latency", ratio=LATENCY, target=0.95),
    slo("faster", about="latency", ratio=within("100ms"), target=0.5),
    slo("everything", ratio=requests("*")),
    slo("delivered", about="delivery", ratio=EVENTS),
    slo("correct", about="correctness", ratio=EVENTS),
).slos
NAMES = [each.id for each in SLOS]


@pytest.fixture
def counts() -> Counts:
    return Counts(len(SLOS))


@pytest.fixture
def events(counts: Counts) -> Events:
    return Events(SLOS, counts)


@pytest.fixture
def told(counts: Counts) -> Told:
    return lambda name: count_of(counts.seen(), NAMES.index(name))


def test_an_answer_in_time_is_good_for_all_that_it_belongs_to(events: Events, told: Told) -> None:
    events.request("GET", "/orders/{id}", 200, 0.15)
    assert [told(name) for name in NAMES[:4]] == [Count(1), Count(1), Count(0, 1), Count(1)]


def test_a_threshold_itself_is_in_time(events: Events, told: Told) -> None:
    events.request("GET", "/orders", 200, 0.2)
    events.request("GET", "/orders", 200, 0.200001)
    assert told("fast") == Count(1, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_servers_error_is_bad_and_never_fast(events: Events, told: Told, status: int) -> None:
    events.request("GET", "/orders", status, 0.001)
    assert (told("available"), told("fast")) == (Count(0, 1), Count())


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_clients_mistake_is_answered_well_and_says_nothing_of_speed(events: Events, told: Told, status: int) -> None:
    events.request("GET", "/orders", status, 0.001)
    assert (told("available"), told("fast")) == (Count(1), Count())


@pytest.mark.parametrize("status", [429, 499])
def test_a_limit_that_held_and_a_client_that_left_are_not_counted(events: Events, told: Told, status: int) -> None:
    events.request("GET", "/orders", status, 0.001)
    assert told("available") == told("everything") == Count()


def test_a_request_without_a_route_counts_for_the_whole_only_if_it_failed(events: Events, told: Told) -> None:
    events.request("GET", "", 404, 0.001)
    events.request("GET", "", 200, 0.001)
    assert told("everything") == Count()
    events.request("GET", "", 500, 0.001)
    assert told("everything") == Count(0, 1)


def test_an_event_counts_for_every_objective_about_it(events: Events, told: Told) -> None:
    events.event("orders", good=True)
    events.event("orders", good=False)
    assert told("delivered") == told("correct") == Count(1, 1)


def test_an_event_that_no_objective_is_about_is_logged_once(
    events: Events, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "mita_otel.slo"):
        events.event("tills", good=False)
        events.event("tills", good=False)
    assert [record.getMessage() for record in caplog.records] == [
        "no objective is about the event 'tills': it is not counted"
    ]
    assert not any(counts.seen())


def test_what_is_remembered_of_routes_is_bounded(events: Events, told: Told) -> None:
    for number in range(PLANS_AT_MOST + 100):
        events.request("GET", f"/orders/{number}", 200, 0.1)
    assert len(events._plans) == PLANS_AT_MOST
    assert told("available") == Count(PLANS_AT_MOST + 100)


REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/orders", "/orders/{id}", "/tills", ""]),
    st.sampled_from([200, 204, 302, 404, 429, 499, 500, 503]),
    st.sampled_from([0.05, 0.1, 0.15, 0.2, 0.3]),
)


@given(st.lists(REQUESTS, max_size=60))
def test_counts_are_what_judging_each_request_by_the_rules_says(stream: list[tuple[str, str, int, float]]) -> None:
    counts = Counts(len(SLOS))
    events = Events(SLOS, counts)
    for request in stream:
        events.request(*request)
    told = [request for request in stream if request[2] not in {429, 499} and request[1].startswith("/orders")]
    assert count_of(counts.seen(), 0) == Count(
        sum(status < 500 for *_, status, _ in told), sum(status >= 500 for *_, status, _ in told)
    )
    answered = [seconds for *_, status, seconds in told if status < 400]
    assert count_of(counts.seen(), 1) == Count(sum(s <= 0.2 for s in answered), sum(s > 0.2 for s in answered))


def test_a_forked_child_begins_at_zero(events: Events, counts: Counts) -> None:
    events.event("orders", good=True)
    child = os.fork()
    if child == 0:
        os._exit(any(counts.seen()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert any(counts.seen())
