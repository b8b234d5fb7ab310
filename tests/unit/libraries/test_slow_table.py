"""The table of slow statements: bounded, ranked, and never waited for."""

import os
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.libraries.slow.table import CAPACITY, RANKED, WAITING, SlowQuery, Table


def _query(statement: str, summary: str = "SELECT t") -> SlowQuery:
    return SlowQuery(statement, summary, "db:5432/bank")


def test_executions_of_a_statement_are_added_up() -> None:
    table = Table(clock=lambda: 1000.0)
    for seconds in (0.5, 2.0, 1.0):
        table.add(_query("SELECT ?"), seconds)
    assert table.ranking() == (SlowQuery("SELECT ?", "SELECT t", "db:5432/bank", 3, 3.5, 2.0, 1000.0),)


def test_the_same_statement_of_two_databases_is_two_entries() -> None:
    table = Table()
    table.add(SlowQuery("SELECT ?", "SELECT", "a/x"), 1)
    table.add(SlowQuery("SELECT ?", "SELECT", "b/x"), 1)
    assert {query.pool for query in table.ranking()} == {"a/x", "b/x"}


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), st.integers(1, 1000)), max_size=60))
def test_the_ranking_is_that_of_the_sums(executions: list[tuple[str, int]]) -> None:
    table, sums = Table(), Counter[str]()
    for statement, seconds in executions:
        table.add(_query(statement), seconds)
        sums[statement] += seconds
    totals = [query.total_seconds for query in table.ranking()]
    assert totals == sorted(sums.values(), reverse=True)[:RANKED]


def test_a_full_table_forgets_what_took_the_least() -> None:
    table = Table()
    for number in range(CAPACITY * 3):
        table.add(_query(f"SELECT {number}"), 1 + number % CAPACITY)
    table.add(_query("SELECT worst"), 500)
    assert table.ranking()[0].statement == "SELECT worst"
    assert len(table._entries) == CAPACITY


def test_no_one_waits_while_the_table_is_read() -> None:
    table = Table()
    with table._lock:
        for _ in range(5):
            table.add(_query("SELECT ?"), 1)
    assert table.ranking()[0].executions == 5


def test_what_waits_is_bounded() -> None:
    table = Table()
    with table._lock:
        for _ in range(WAITING + 10):
            table.add(_query("SELECT ?"), 1)
    assert table.ranking()[0].executions == WAITING


def test_threads_lose_no_execution() -> None:
    table = Table()

    def work(name: str) -> None:
        for _ in range(WAITING // 10):
            table.add(_query(name), 1)

    threads = [threading.Thread(target=work, args=(f"SELECT {n % 2}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(query.executions for query in table.ranking()) == 8 * (WAITING // 10)


def test_a_plan_is_kept_with_its_statement_as_long_as_that_is_there() -> None:
    table = Table()
    table.add(_query("SELECT ?"), 1)
    table.explain(_query("SELECT ?"), "Seq Scan")
    table.explain(_query("SELECT gone"), "Seq Scan")
    table.add(_query("SELECT ?"), 1)
    [query] = table.ranking()
    assert (query.plan, query.executions) == ("Seq Scan", 2)


def test_seconds_are_added_up_by_summary() -> None:
    table = Table()
    for statement, summary in (("a", "SELECT x"), ("b", "SELECT x"), ("c", "SELECT y")):
        table.add(_query(statement, summary), 1.5)
    assert table.by_summary() == {"SELECT x": 3.0, "SELECT y": 1.5}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that a process with threads forks is the point
def test_a_fork_while_the_table_is_locked_leaves_a_table_that_works() -> None:
    table = Table()
    os.register_at_fork(after_in_child=table.after_fork)
    table.add(_query("SELECT parent"), 1)
    with table._lock:
        child = os.fork()
        if child == 0:
            table.add(_query("SELECT child"), 1)
            os._exit(0 if [query.statement for query in table.ranking()] == ["SELECT child"] else 1)
    assert os.waitpid(child, 0)[1] == 0
