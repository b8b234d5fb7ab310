"""Edges of the service map come out the same in whatever order spans arrive."""

import sqlite3
from collections.abc import Iterator
from itertools import permutations

import pytest

from mita_otel.console.store.edges import Edges
from mita_otel.console.store.schema import connect

type_of_row = tuple[int, str, str, int, int]


@pytest.fixture
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    opened = connect(tmp_path_factory.mktemp("edges") / "console.db")
    yield opened
    opened.close()


def stored(connection: sqlite3.Connection, edges: Edges) -> set[type_of_row]:
    edges.flush()
    return set(connection.execute("SELECT * FROM calls WHERE calls <> 0"))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_both_sides_of_a_call_make_one_edge_in_any_order(
    connection: sqlite3.Connection, order: tuple[int, ...]
) -> None:
    edges = Edges(connection)
    steps = [
        lambda: edges.see(b"server", 7, "shop", None, 0),
        lambda: edges.see(b"client", 7, "shop", "external:bank.example", 0),
        lambda: edges.see(b"bank", 8, "bank", None, 1),
        lambda: edges.see_served(b"client", 8, "bank", 1),
    ]
    for number in order:
        steps[number]()
        edges.flush()
    assert stored(connection, edges) == {(8, "shop", "bank", 1, 1)}


def test_a_peer_that_sends_no_spans_stays_an_edge(connection: sqlite3.Connection) -> None:
    edges = Edges(connection)
    edges.see(b"client", 7, "shop", "external:bank.example", 1)
    assert stored(connection, edges) == {(7, "shop", "external:bank.example", 1, 1)}


def test_calls_of_a_database_add_up(connection: sqlite3.Connection) -> None:
    edges = Edges(connection)
    for error in (0, 1, 0):
        edges.see_leaf(7, "shop", "database:postgresql", error)
        edges.flush()
    assert stored(connection, edges) == {(7, "shop", "database:postgresql", 3, 1)}


def test_a_service_does_not_call_itself(connection: sqlite3.Connection) -> None:
    edges = Edges(connection)
    edges.see(b"client", 7, "shop", "external:localhost", 0)
    edges.see_served(b"client", 7, "shop", 0)
    assert stored(connection, edges) == set()


def test_a_parent_without_a_peer_is_a_caller_all_the_same(connection: sqlite3.Connection) -> None:
    edges = Edges(connection)
    edges.see(b"internal", 7, "shop", None, 0)
    edges.see_served(b"internal", 7, "bank", 0)
    assert stored(connection, edges) == {(7, "shop", "bank", 1, 0)}


def test_many_consumers_of_one_message_are_as_many_calls(connection: sqlite3.Connection) -> None:
    edges = Edges(connection)
    edges.see_served(b"producer", 7, "mail", 0)
    edges.see_served(b"producer", 7, "ledger", 0)
    edges.see(b"producer", 7, "shop", "external:orders", 0)
    edges.see_served(b"producer", 7, "search", 0)
    assert {row[2] for row in stored(connection, edges)} == {"mail", "ledger", "search"}
