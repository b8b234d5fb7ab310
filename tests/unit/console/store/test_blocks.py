"""Blocks and their filters."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.store.blocks import (
    BLOCK_SIZE,
    BLOOM_BYTES,
    add,
    block_of,
    ids_of,
    may_contain,
    token_of,
    value_text,
    words_of,
)


@given(st.integers(min_value=0, max_value=2**50))
def test_a_block_holds_its_ids(row_id: int) -> None:
    assert row_id in ids_of(block_of(row_id))
    assert len(ids_of(block_of(row_id))) == BLOCK_SIZE


@given(st.lists(st.text(), max_size=50))
def test_what_was_added_may_be_contained(tokens: list[str]) -> None:
    bloom = bytearray(BLOOM_BYTES)
    for token in tokens:
        add(bloom, token)
    assert may_contain(bytes(bloom), tokens)


def test_an_empty_filter_contains_nothing() -> None:
    assert not may_contain(bytes(BLOOM_BYTES), ["http.route=/"])


def test_a_full_block_is_wrong_for_few_tokens() -> None:
    bloom = bytearray(BLOOM_BYTES)
    for number in range(20_000):
        add(bloom, f"id={number}")
    filled = bytes(bloom)
    wrong = sum(may_contain(filled, [f"other={number}"]) for number in range(10_000))
    assert wrong < 700


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (-(2**63), "-9223372036854775808"),
        (0.25, "0.25"),
        (float("inf"), "inf"),
        (None, ""),
        (b"\x00\xff", "00ff"),
        ([1, "a", b"\xff", None], '[1,"a","ff",null]'),
        ({"b": 1, "a": [True]}, '{"a":[true],"b":1}'),
    ],
)
def test_a_value_is_searched_for_as_text(value: Any, text: str) -> None:
    assert value_text(value) == text
    assert token_of("key", value) == f"key={text}"


def test_words_are_folded_and_neither_too_short_nor_too_long() -> None:
    assert words_of(f"A Payment-FAILED für straße_5 {'x' * 200}") == {
        "payment",
        "failed",
        "für",
        "strasse_5",
        "x" * 64,
        "x" * 8,
    }


def test_random_words_of_a_text_are_among_its_words() -> None:
    words = [f"w{random.randrange(10**6)}" for _ in range(20)]
    assert words_of(" ".join(words)) == set(words)
