"""Percent-encoded text in free text: what URLs, forms and access lines carry is judged as it reads once decoded."""

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote, unquote_plus

from mita_otel.redaction.patterns import REDACTED

_SIGN: Final = re.compile(r"%[0-9A-Fa-f]{2}|\+(?<=[0-9A-Za-z)]\+)(?=[0-9A-Za-z(%+])")
"""A character that is encoded, or a space that is."""

_REST: Final = re.compile(r"""[^\s"'<>&=?#/\\]*""")
"""What goes on as one part of a URL, in either direction."""

_DECODINGS: Final = 3
_MOST: Final = 500
"""Parts that are judged in one text, and below, characters: a text with more is masked from there on."""
_MOST_CHARACTERS: Final = 8_192


def decodings(part: str) -> Iterator[str]:
    """Yield what encoded text may mean: it may have been encoded more than once, and `+` may stand for a space."""
    for _ in range(_DECODINGS):
        spaced = unquote_plus(part)
        decoded = unquote(part)
        if decoded != part:
            yield decoded
        if spaced not in (decoded, part):
            yield spaced
        if decoded == part:
            return
        part = decoded


def redact_encoded(text: str, is_clean: Callable[[str], bool]) -> str:
    """Return the text with those encoded parts masked whole that hold something sensitive once they are decoded.

    Args:
        text: what may hold some.
        is_clean: says whether decoded text holds nothing sensitive.
    """
    kept: list[str] = []
    position = seen = 0
    backwards = text[::-1]
    sign = _SIGN.search(text)
    for _ in range(_MOST):
        if sign is None:
            return "".join([*kept, text[position:]]) if kept else text
        start = len(text) - _end(backwards, len(text) - sign.start(), len(text) - position)
        end = _end(text, sign.end(), len(text))
        seen += end - start
        if seen > _MOST_CHARACTERS:
            break
        if not all(map(is_clean, decodings(text[start:end]))):
            kept += [text[position:start], REDACTED]
            position = end
        sign = _SIGN.search(text, end)
    if sign is None:
        return "".join([*kept, text[position:]]) if kept else text
    return "".join([*kept, text[position : max(position, sign.start())], REDACTED])


def _end(text: str, start: int, end: int) -> int:
    rest = _REST.match(text, start, end)
    return start if rest is None else rest.end()
