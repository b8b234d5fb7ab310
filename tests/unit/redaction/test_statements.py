"""Statements lose their literals and keep everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.redaction import redact_statement


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT * FROM t1 WHERE a = 'x''y' AND b = 1.5e-3", "SELECT * FROM t1 WHERE a = ? AND b = ?"),
        ("SELECT E'it\\'s', b", "SELECT ?, b"),
        ("SELECT $$it's$$, $t$ $$ $t$, x'1F', N'a', .5, 0x1F, -7", "SELECT ?, ?, ?, ?, ?, ?, -?"),
        ('SELECT "Col 1", `b 2` FROM "T 3"', 'SELECT "Col 1", `b 2` FROM "T 3"'),
        (
            "a = $1 AND b = %s AND c = :name_1 AND d = ? AND e = %(x)s",
            "a = $1 AND b = %s AND c = :name_1 AND d = ? AND e = %(x)s",
        ),
        ("id IN (1, 2, -3)", "id IN (?)"),
        ("id IN ($1::UUID, $2::UUID) AND x", "id IN (?) AND x"),
        ("id in (:id_1, :id_2)", "id in (?)"),
        ("id = ANY(ARRAY[1, 2, 3])", "id = ANY(ARRAY[?])"),
        ("INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)", "INSERT INTO t (a, b) VALUES ($1, $2)"),
        ("INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO t VALUES (?, ?)"),
        ("SELECT 1 -- pin 1234\nFROM t /* a /* secret */ b */ WHERE c", "SELECT ? FROM t WHERE c"),
        ("SELECT '--', '/*', b", "SELECT ?, ?, b"),
        ("SELECT 'never closed", "SELECT ?"),
        ('SELECT "never closed', "SELECT ?"),
        ("a = 'C:\\' AND b = 'secret'", "a = ?"),
        ("a::date = '2026-11-24'::date", "a::date = ?::date"),
    ],
)
def test_literals_become_question_marks(sql: str, shown: str) -> None:
    assert redact_statement(sql) == shown


@given(st.text(alphabet=st.characters(blacklist_characters="\\", blacklist_categories=["Cs"]), max_size=200))
def test_a_quoted_literal_never_survives(literal: str) -> None:
    quoted = literal.replace("'", "''")
    assert redact_statement(f"UPDATE t SET a = '{quoted}' WHERE b = $1") == "UPDATE t SET a = ? WHERE b = $1"


@given(st.text())
def test_any_text_can_be_judged_and_a_second_time_changes_nothing(sql: str) -> None:
    once = redact_statement(sql)
    assert redact_statement(once) == once


@given(
    st.lists(st.sampled_from(["'", '"', "$a$", "$$", "--", "/*", "*/", "\\", "\n", "x", "1", " ", "E'", "(", ",", "?"]))
)
def test_any_mixture_of_marks_can_be_judged_and_a_second_time_changes_nothing(marks: list[str]) -> None:
    once = redact_statement("".join(marks))
    assert redact_statement(once) == once


def test_a_long_statement_is_cut_and_says_so() -> None:
    shown = redact_statement("SELECT " + "column, " * 10_000)
    assert len(shown) == 2048
    assert shown.endswith("...[truncated, 80007 characters]")
    assert redact_statement(shown) == shown
