"""Rates, errors and latencies of services, who calls whom, and what is stored."""

from typing import Any

import pytest

from mita_otel.console.reading.services import (
    MINUTE,
    Edge,
    Node,
    Window,
    edges_of,
    map_of,
    operations_of,
    routes_of,
    service_names,
    services_of,
    timeline_of,
)
from mita_otel.console.reading.status import status_of
from tests.fixtures.console_file import AT, ConsoleFile, Line, Sent, logs, traces

NOW_MINUTE = AT // MINUTE
WINDOW = Window(NOW_MINUTE - 15, NOW_MINUTE, 900.0)
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls count in rates while they are not far from now: let it be then."""
    monkeypatch.setattr("time.time_ns", lambda: AT * 1000)


def test_a_window_has_whole_minutes_and_knows_how_much_of_them_has_passed() -> None:
    assert Window.until(10 * MINUTE + 30_000_000, 2 * MINUTE) == Window(8, 10, 150.0)


def test_services_and_operations_are_those_with_spans(file: ConsoleFile) -> None:
    file.send(
        traces("b", Sent("y"), Sent("x", kind=CLIENT), Sent("x", kind=0)), traces("a", Sent("z")), logs("c", Line())
    )
    assert file.reader.run(service_names) == ["a", "b"]
    found = file.reader.run(lambda connection: operations_of(connection, "b"))
    assert found == [("x", "client"), ("x", "unspecified"), ("y", "server")]
    assert file.reader.run(lambda connection: operations_of(connection, "nobody")) == []


def served(file: ConsoleFile, service: str) -> Any:
    return file.reader.run(lambda connection: services_of(connection, WINDOW)).get(service)


def test_a_service_has_the_calls_that_it_served(file: ConsoleFile) -> None:
    file.send(
        traces("a", Sent(duration=1000), Sent(duration=3000, failed=True), Sent(kind=CLIENT), Sent(kind=INTERNAL))
    )
    calls = served(file, "a")
    assert (calls.calls, calls.errors) == (2, 1)
    assert 2500 < calls.quantile(0.99) < 3600


@pytest.mark.parametrize(
    ("kinds", "expected"), [((INTERNAL, CLIENT), 1), ((CLIENT, PRODUCER), 2), ((CONSUMER, INTERNAL), 1)]
)
def test_a_service_that_serves_nobody_has_its_inner_spans_or_all(
    file: ConsoleFile, kinds: tuple[int, ...], expected: int
) -> None:
    file.send(traces("a", *(Sent(kind=kind) for kind in kinds)))
    assert served(file, "a").calls == expected


def test_what_is_outside_of_the_window_does_not_count(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(start=-16 * MINUTE), Sent(start=-2 * MINUTE)))
    assert served(file, "a").calls == 1


def test_a_service_is_shown_by_operation_and_by_minute(file: ConsoleFile) -> None:
    spans = [Sent("/x"), Sent("/x", failed=True), Sent("/y", start=-MINUTE), Sent("db", kind=CLIENT)]
    file.send(traces("a", *spans), traces("b", Sent("/z")))
    routes, _ = file.reader.run(lambda connection: routes_of(connection, "a", WINDOW))
    timeline = file.reader.run(lambda connection: timeline_of(connection, "a", WINDOW))
    assert [(route.operation, route.kind, route.calls.calls, route.calls.errors) for route in routes] == [
        ("/x", "server", 2, 1),
        ("/y", "server", 1, 0),
        ("db", "client", 1, 0),
    ]
    assert {minute: calls.calls for minute, calls in timeline.items()} == {NOW_MINUTE - 1: 1, NOW_MINUTE: 2}


def test_of_many_operations_the_busiest_are_shown(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.console.reading.services.ROUTES_LIMIT", 2)
    file.send(traces("a", Sent("/x"), Sent("/y"), Sent("/y"), Sent("/z")))
    routes, left_out = file.reader.run(lambda connection: routes_of(connection, "a", WINDOW))
    assert [route.operation for route in routes] == ["/y", "/x"]
    assert left_out == 1


def test_of_many_calls_the_busiest_are_on_the_map(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.console.reading.services.EDGES_LIMIT", 1)
    file.store.connection.executemany(
        "INSERT INTO calls VALUES (?, 'a', ?, ?, 0)", [(NOW_MINUTE, "b", 1), (NOW_MINUTE, "c", 2)]
    )
    assert file.reader.run(lambda connection: edges_of(connection, WINDOW)) == ([Edge("a", "c", 2, 0)], 1)


def test_durations_of_many_minutes_add_up(file: ConsoleFile) -> None:
    file.send(traces("a", *(Sent(start=-minute * MINUTE, duration=10**minute) for minute in range(10))))
    calls = served(file, "a")
    assert calls.calls == sum(calls.durations.values()) == 10
    assert calls.quantile(1) == pytest.approx(10**9, rel=0.2)


def test_the_map_has_services_databases_and_others_with_their_calls(file: ConsoleFile) -> None:
    file.send(
        traces(
            "shop",
            Sent(id=1),
            Sent(id=2, parent=1, kind=CLIENT, attributes={"server.address": "bank"}),
            Sent(id=3, parent=1, kind=CLIENT, attributes={"db.system.name": "postgresql"}, failed=True),
            Sent(id=4, parent=1, kind=CLIENT, attributes={"server.address": "api.example.com"}),
        ),
        traces("bank", Sent(id=5, parent=2)),
    )
    found = file.reader.run(lambda connection: map_of(connection, WINDOW))
    assert found.nodes == [
        Node("bank", "service", 1, 0),
        Node("shop", "service", 1, 0),
        Node("postgresql", "database", 1, 1),
        Node("api.example.com", "external", 1, 0),
    ]
    assert sorted(found.edges, key=lambda edge: edge.callee) == [
        Edge("shop", "api.example.com", 1, 0),
        Edge("shop", "bank", 1, 0),
        Edge("shop", "postgresql", 1, 1),
    ]


def test_peers_that_would_have_the_name_of_another_keep_what_tells_them_apart(file: ConsoleFile) -> None:
    file.send(
        traces(
            "shop",
            Sent(),
            Sent(id=3, kind=CLIENT, attributes={"db.system.name": "redis"}),
            Sent(id=4, kind=CLIENT, attributes={"server.address": "redis"}),
        ),
        traces("a", Sent(trace=2), Sent(id=7, trace=2, kind=CLIENT, attributes={"db.system.name": "shop"})),
    )
    names = {node.name for node in file.reader.run(lambda connection: map_of(connection, WINDOW)).nodes}
    assert names == {"a", "shop", "database:redis", "external:redis", "database:shop"}


def test_an_edge_that_gave_way_to_another_is_none(file: ConsoleFile) -> None:
    file.store.connection.execute("INSERT INTO calls VALUES (?, 'a', 'b', 0, 0)", (NOW_MINUTE,))
    assert file.reader.run(lambda connection: edges_of(connection, WINDOW)) == ([], 0)


def test_the_status_of_an_empty_file_is_nothing(file: ConsoleFile) -> None:
    found = file.reader.run(status_of)
    assert (found.spans, found.records, found.points, found.oldest, found.counters) == (0, 0, 0, None, {})
    assert found.size > 0


def test_the_status_counts_what_is_stored(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(), Sent(id=2)), logs("a", Line()))
    found = file.reader.run(status_of)
    assert (found.spans, found.records, found.oldest) == (2, 1, AT)
    assert found.counters["spans.received"] == 2
