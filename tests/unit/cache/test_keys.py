"""Keys of any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.cache.keys import LONGEST, checked_name, stored_key

anything = st.text(st.characters(codec=None), max_size=300) | st.integers(1, 2000).map(lambda n: "k" * n)


@given(anything, anything)
def test_two_texts_have_two_keys(one: str, other: str) -> None:
    assert (stored_key("c", one) == stored_key("c", other)) == (one == other)


@given(anything)
def test_a_key_is_short_and_says_whose_it_is(key: str) -> None:
    stored = stored_key("rates", key)
    assert stored.startswith(b"rates:")
    assert len(stored) <= len(b"rates:") + LONGEST


@pytest.mark.parametrize(
    "key", ["a\r\nDEL b", "\x00", "ключ", "🙂", "\ud800", "", "x" * 1_000_000], ids=lambda key: ascii(key)[:20]
)
def test_line_breaks_zeros_surrogates_and_length_do_no_harm(key: str) -> None:
    assert stored_key("c", key) == stored_key("c", key)


def test_a_text_that_looks_like_a_digest_is_not_taken_for_one() -> None:
    digest = stored_key("c", "x" * 1000).removeprefix(b"c:").decode()
    assert stored_key("c", digest) != stored_key("c", "x" * 1000)


def test_what_is_no_text_is_no_key() -> None:
    with pytest.raises(TypeError, match=r"str\(key\)"):
        stored_key("c", 7)  # type: ignore[arg-type] # that is the point


@pytest.mark.parametrize("name", ["rates", "exchange.rates", "a", "a" * 63, "a-b_c.9"])
def test_a_name_may_be_an_attribute(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "Rates", "9a", "a" * 64, "a b", "a:b", "a\n", "ключ", "{a}"])
def test_another_may_not(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a cache"):
        checked_name(name)
