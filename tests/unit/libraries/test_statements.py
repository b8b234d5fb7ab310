import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.libraries.statements import SUMMARY_LIMIT, TEXT_LIMIT, describe


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("SELECT id FROM transactions WHERE id = $1", "SELECT transactions"),
        ("select a.id from users a, accounts b", "SELECT users accounts"),
        ('SELECT * FROM "public"."users" JOIN budgets ON true', "SELECT public.users budgets"),
        ("INSERT INTO users (email) VALUES ($1)", "INSERT users"),
        ("INSERT INTO archive SELECT * FROM orders", "INSERT archive orders"),
        ("UPDATE users SET name = $1", "UPDATE users"),
        ("UPDATE ONLY users SET name = $1", "UPDATE users"),
        ("DELETE FROM users", "DELETE users"),
        ("SELECT * FROM users FOR UPDATE", "SELECT users"),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "INSERT t"),
        ("SELECT EXTRACT(year FROM created_at) FROM orders", "SELECT orders"),
        ("SELECT a IS DISTINCT FROM b FROM pairs", "SELECT pairs"),
        ("SELECT * FROM generate_series(1, 3)", "SELECT"),
        ("SELECT * FROM (SELECT * FROM inner_table) x", "SELECT inner_table"),
        ("WITH recent AS (SELECT * FROM orders) SELECT * FROM recent", "SELECT orders"),
        ("WITH old AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM old", "INSERT a b"),
        ("CREATE TABLE IF NOT EXISTS users (id int)", "CREATE users"),
        ("-- a comment\n/* FROM nowhere */ SELECT 1", "SELECT"),
        ("TRUNCATE TABLE users", "TRUNCATE users"),
        ("gibberish from users", None),
        ("", None),
    ],
)
def test_a_summary_is_the_operation_and_its_tables(statement: str, summary: str | None) -> None:
    assert describe(statement).summary == summary


@pytest.mark.parametrize(
    "statement",
    ["BEGIN;", "begin isolation level serializable", "COMMIT", "ROLLBACK TO SAVEPOINT a", "SAVEPOINT a", "RELEASE a"],
)
def test_a_statement_that_only_controls_a_transaction_is_known_as_such(statement: str) -> None:
    assert describe(statement).controls_transaction


def test_the_text_has_no_literals() -> None:
    assert describe("SELECT * FROM users WHERE email = 'a@b.c' AND age > 42").text == (
        "SELECT * FROM users WHERE email = ? AND age > ?"
    )


def test_a_long_statement_is_cut_and_says_so() -> None:
    described = describe("SELECT * FROM users WHERE id IN (" + "$1, " * 10_000 + ")")

    assert described.summary == "SELECT users"
    assert described.text.endswith("...[truncated]")
    assert len(described.text) <= TEXT_LIMIT + len("...[truncated]")


def test_a_literal_that_is_cut_in_two_is_still_masked() -> None:
    assert "secret" not in describe("SELECT * FROM users WHERE note = 'secret" + "x" * TEXT_LIMIT + "'").text


def test_a_summary_of_many_tables_ends_at_a_whole_name() -> None:
    tables = [f"table_with_a_long_name_{i}" for i in range(50)]
    summary = describe("SELECT * FROM " + ", ".join(tables)).summary

    assert summary is not None
    assert len(summary) <= SUMMARY_LIMIT
    assert summary.split()[-1] in tables


@given(st.text())
def test_any_text_can_be_described(text: str) -> None:
    described = describe(text)

    assert described.summary is None or len(described.summary) <= SUMMARY_LIMIT


@given(st.lists(st.sampled_from(["SELECT", "FROM", "WITH", "a", "b", "AS", "(", ")", ",", ";", '"', "UPDATE", "'"])))
def test_any_order_of_words_can_be_described(words: list[str]) -> None:
    describe(" ".join(words))
