"""The correlation id: a caller's valid one is kept, anything else replaced."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel import correlation


@pytest.mark.parametrize("given_id", ["a", "order-42", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "a" * 128, "svc:req.1~2_3"])
def test_a_valid_id_is_kept(given_id: str) -> None:
    assert correlation.accept(given_id) == given_id


@pytest.mark.parametrize("given_id", [None, "", "a" * 129, "a b", "a\nb", "a\r\nSet-Cookie: x", "é", "<script>", "a,b"])
def test_an_invalid_id_is_replaced(given_id: str | None) -> None:
    assert re.fullmatch("[0-9a-f]{32}", correlation.accept(given_id))


@given(st.text())
def test_whatever_comes_in_what_goes_out_is_safe_in_a_header(candidate: str) -> None:
    accepted = correlation.accept(candidate)
    assert accepted.isascii()
    assert accepted.isprintable()
    assert 1 <= len(accepted) <= correlation.MAX_LENGTH


def test_an_id_is_current_until_it_is_unbound() -> None:
    token = correlation.bind("abc")
    assert correlation.current() == "abc"
    correlation.unbind(token)
    assert correlation.current() is None
