"""What the bytes of an attribute must contain, and which attributes meet a condition."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mita_otel.console.reading.conditions import Condition
from mita_otel.console.store.blocks import BLOOM_BYTES, add, may_contain, token_of, value_text
from tests.fixtures.console_file import pairs

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
)


@given(st.text(), VALUES)
@example("k", -1)
@example("k", 0)
@example("k", float("nan"))
@example("k", float("-inf"))
@example("k", b"")
@example("k", {"a": [1, b"\xff"]})
def test_an_attribute_is_found_by_its_text(key: str, value: Any) -> None:
    (pair,) = pairs({key: value})
    condition = Condition(key, value_text(value))
    assert condition.is_met_by([pair])


@given(st.text(), VALUES)
@example("k", -1)
@example("k", 2**53 + 1)
@example("k", float("nan"))
@example("k", 1e300)
@example("k", True)
def test_the_bytes_of_an_attribute_contain_its_key_and_one_of_the_encodings(key: str, value: Any) -> None:
    (pair,) = pairs({key: value})
    encodings = Condition(key, value_text(value)).encodings()
    assert key.encode() in pair.SerializeToString()
    assert not encodings or any(encoding in pair.SerializeToString() for encoding in encodings)


@given(st.text(), VALUES)
def test_the_filter_of_a_block_with_an_attribute_has_one_of_the_tokens(key: str, value: Any) -> None:
    bloom = bytearray(BLOOM_BYTES)
    add(bloom, token_of(key, value))
    tokens = Condition(key, value_text(value)).tokens
    assert any(may_contain(bytes(bloom), [token]) for token in tokens)


@pytest.mark.parametrize("value", [500, "500", 500.0])
def test_a_whole_number_is_found_whatever_its_type(value: Any) -> None:
    condition = Condition("code", "500")
    assert condition.is_met_by(pairs({"code": value}))
    assert token_of("code", value) in condition.tokens


@pytest.mark.parametrize("attributes", [{}, {"code": 501}, {"codes": 500}, {"code": [500]}])
def test_other_attributes_do_not_meet_a_condition(attributes: dict[str, Any]) -> None:
    assert not Condition("code", "500").is_met_by(pairs(attributes))
