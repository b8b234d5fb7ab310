"""Blocks of spans and log records, and the Bloom filters that tell what a block cannot contain.

A token is a text such as `http.route=/orders/{id}` or `word:timeout`. A filter has 131,072 bits, of which each token
sets three. With the ten to twenty thousand tokens of a usual block it is wrong for fewer than 5 in 100 tokens.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

import orjson

BLOCK_SHIFT: Final = 11
BLOCK_SIZE: Final = 1 << BLOCK_SHIFT
"""Ids in a block."""

BLOOM_BYTES: Final = 16 * 1024

_POSITION_BITS: Final = 17
_POSITION_MASK: Final = BLOOM_BYTES * 8 - 1
_WORD: Final = re.compile(r"\w{2,64}")


def block_of(row_id: int) -> int:
    """Return the block of a span's or a log record's id."""
    return row_id >> BLOCK_SHIFT


def ids_of(block: int) -> range:
    """Return the ids of a block."""
    return range(block << BLOCK_SHIFT, (block + 1) << BLOCK_SHIFT)


def value_text(value: Any) -> str:
    """Return an attribute's value as text, as it is searched for: `true`, `5`, `0.25`, hexadecimal bytes, compact JSON.

    Args:
        value: what an AnyValue holds: None, bool, int, float, str, bytes, or a list or dict with str keys of these.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case bytes():
            return value.hex()
    return orjson.dumps(value, default=bytes.hex, option=orjson.OPT_SORT_KEYS).decode()


def token_of(key: str, value: Any) -> str:
    """Return the token of an attribute; `value` as for `value_text`."""
    return f"{key}={value_text(value)}"


def words_of(text: str) -> set[str]:
    """Return the words of a text as they are searched for: case-folded, of 2 to 64 letters, digits and underscores."""
    return set(_WORD.findall(text.casefold()))


def word_token(word: str) -> str:
    """Return the token of a word that came from `words_of`."""
    return f"word:{word}"


def positions(token: str) -> tuple[int, int, int]:
    """Return the bits that a token sets."""
    bits = int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (
        bits & _POSITION_MASK,
        bits >> _POSITION_BITS & _POSITION_MASK,
        bits >> 2 * _POSITION_BITS & _POSITION_MASK,
    )


def add(bloom: bytearray, token: str) -> None:
    """Set the bits of a token."""
    for position in positions(token):
        bloom[position >> 3] |= 1 << (position & 7)


def may_contain(bloom: bytes, tokens: Iterable[str]) -> bool:
    """Return whether the block may contain all the tokens; False is certain, True is not."""
    return all(bloom[position >> 3] & 1 << (position & 7) for position in _all_positions(tokens))


def _all_positions(tokens: Iterable[str]) -> Iterator[int]:
    for token in tokens:
        yield from positions(token)
