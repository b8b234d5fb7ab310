"""Which statements are explained, and with which questions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.libraries.database import Endpoint
from mita_otel.libraries.slow.plan import explainable, numbered, questions
from mita_otel.libraries.slow.render import PLAN_LIMIT, render
from mita_otel.libraries.statements import TEXT_LIMIT


def _is_explained(statement: str, *, system: str = "postgresql", batch: bool = False) -> bool:
    call = Endpoint(system).statement(statement, batch=batch)
    assert call is not None
    return explainable(call)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM t WHERE id = $1",
        "select 1;",
        "SELECT 1 ; \n",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "(SELECT 1) UNION (SELECT 2)",
    ],
)
def test_a_select_is_explained(statement: str) -> None:
    assert _is_explained(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "EXPLAIN SELECT 1",
        "EXPLAIN EXECUTE mita_plan_1",
        "UPDATE t SET a = 1",
        "INSERT INTO t SELECT 1",
        "DELETE FROM t",
        "SHOW ALL",
        "SELECT 1; DROP TABLE t",
        r"SELECT '\'; DELETE FROM t --'",
        "COPY (SELECT 1) TO STDOUT",
        "???",
    ],
)
def test_nothing_else_is(statement: str) -> None:
    assert not _is_explained(statement)


def test_a_statement_that_is_not_known_whole_is_not_explained() -> None:
    assert _is_explained("SELECT " + "a" * (TEXT_LIMIT - 7))
    assert not _is_explained("SELECT " + "a" * TEXT_LIMIT)
    assert not _is_explained("SELECT '" + "a" * 1_000_000 + "'")


def test_other_databases_and_batches_are_not_asked() -> None:
    assert not _is_explained("SELECT 1", system="mysql")
    assert not _is_explained("SELECT $1", batch=True)


def test_every_parameter_is_given_and_the_literals_are_not_counted() -> None:
    *_, prepare, explain, forget = questions("SELECT * FROM t WHERE a = $2 AND b = $1 AND c = '$9' ;\n")
    name = re.search(r"mita_plan_[0-9a-f]{16}", prepare)
    assert name is not None
    assert prepare == f"PREPARE {name[0]} AS SELECT * FROM t WHERE a = $2 AND b = $1 AND c = '$9'"
    assert explain == f"EXPLAIN (FORMAT JSON) EXECUTE {name[0]}(NULL, NULL)"
    assert forget == f"DEALLOCATE {name[0]}"


def test_without_parameters_none_are_given() -> None:
    assert questions("SELECT 1")[-2].split()[-1].startswith("mita_plan_")


def test_each_question_has_a_name_of_its_own() -> None:
    assert questions("SELECT 1") != questions("SELECT 1")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT %s, %s", "SELECT $1, $2"),
        ("SELECT %(a)s::INTEGER, %(b)s, %(a)s", "SELECT $1::INTEGER, $2, $1"),
        ("SELECT a %% 2 WHERE b LIKE 'x%%'", "SELECT a % 2 WHERE b LIKE 'x%'"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_placeholders_of_other_drivers_become_numbers(statement: str, expected: str) -> None:
    assert numbered(statement) == expected


@given(st.lists(st.tuples(st.text("abc '%", max_size=5).map(lambda text: text.replace("%", "%%")), st.just("%s"))))
def test_every_placeholder_has_a_number_of_its_own(parts: list[tuple[str, str]]) -> None:
    statement = "".join(f"{text}{mark}" for text, mark in parts)
    expected = "".join(f"{text.replace('%%', '%')}${number}" for number, (text, _) in enumerate(parts, 1))
    assert numbered(statement) == expected


@given(st.text(st.characters(exclude_characters="%")))
def test_a_statement_without_placeholders_stays(statement: str) -> None:
    assert numbered(statement) == statement


def test_a_plan_has_no_values_and_no_line_of_a_value() -> None:
    plan = {
        "Plan": {
            "Node Type": "Seq Scan",
            "Relation Name": "users",
            "Alias": "u",
            "Startup Cost": 0.0,
            "Total Cost": 12.5,
            "Plan Rows": 3,
            "Plan Width": 36,
            "Parallel Aware": False,
            "Filter": "((email = 'jane@example.com'::text) AND (note <> 'first\nsecond secret'::text))",
            "Output": ["id", "'4111111111111111'::text"],
        }
    }
    assert render(plan).splitlines() == [
        "Seq Scan on users u  (cost=0.0..12.5 rows=3 width=36)",
        "  Filter: ((email = ?::text) AND (note <> ?::text))",
        "  Output: id, ?::text",
    ]


def test_what_is_below_stands_below() -> None:
    plan = {
        "Node Type": "Hash Join",
        "Join Type": "Left",
        "Hash Cond": "(a.id = b.id)",
        "Plans": [{"Node Type": "Index Scan", "Index Name": "a_pkey", "Relation Name": "a", "Index Cond": "(id = $1)"}],
    }
    costs = "  (cost=None..None rows=None width=None)"
    assert render({"Plan": plan}).splitlines() == [
        "Left Hash Join" + costs,
        "  Hash Cond: (a.id = b.id)",
        "  ->  Index Scan using a_pkey on a" + costs,
        "        Index Cond: (id = $1)",
    ]


def test_a_plan_of_many_partitions_is_cut_at_a_line() -> None:
    children = [{"Node Type": "Seq Scan", "Relation Name": f"part_{n}"} for n in range(5000)]
    text = render({"Plan": {"Node Type": "Append", "Plans": children}})
    assert len(text) <= PLAN_LIMIT
    assert text.endswith(")\n...")


def test_a_plan_that_is_nested_without_end_is_cut() -> None:
    plan: dict[str, object] = {"Node Type": "Result"}
    for _ in range(500):
        plan = {"Node Type": "Result", "Plans": [plan]}
    assert "..." in render({"Plan": plan})
