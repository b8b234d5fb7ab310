"""The values of sensitive keys in free text: `key=value`, `"key": "value"`, headers, JSON inside JSON, XML elements."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from mita_otel.redaction.patterns import REDACTED

_SIGN: Final = re.compile(r"=>|=(?!=)|:(?![:/=])|>")
_KEY_REVERSED: Final = re.compile(r"""[ \t]{0,4}\]?(?P<quote>["']\\*+)?(?P<key>[\w.-]{2,}+)""", re.ASCII)
"""A key and what may stand between it and its sign, back to front: signs are rare, and words are not."""

_SPACES: Final = re.compile(r"[ \t]{0,4}")
_PREVIOUS: Final = re.compile(r"([A-Za-z-]{1,20}) \Z")
_OPENING: Final = re.compile(r"""(\\*+)(["'])""")
_QUOTES: Final = {quote: re.compile(rf"(\\*){quote}") for quote in "\"'"}
_BRACKETS: Final = re.compile(r"[\[\](){}]")
_BARE: Final = re.compile(r"""[^\s,;&"'<]*""")
_LINE: Final = re.compile(r"""[^\r\n"']*""")

_MOST: Final = 2_000
"""Keys that are judged in one text; one with more is masked from there on: time is bounded, not masking."""
_MOST_SENSITIVE: Final = 500
"""The same for the sensitive ones among them."""

_SECOND_WORDS: Final = frozenset({"number", "numbers", "no", "code", "id", "key", "account", "card", "security"})


@cache
def _authorization() -> re.Pattern[str]:
    return re.compile(
        r"""(?:digest|oauth|hawk|aws4-hmac-sha256)[ \t][^\r\n]*"""
        r"""|(?:bearer|basic|token|apikey|negotiate|ntlm)[ \t]{1,8}[^\s,;"']*""",
        re.IGNORECASE,
    )


def redact_pairs(text: str, is_sensitive: Callable[[str], bool]) -> str:
    """Return the text with the values of sensitive keys masked; a value that does not end is masked to the end."""
    kept: list[str] = []
    position = sensitive = 0
    length, backwards = len(text), text[::-1]
    # By `search` from a position, for what a value holds is not looked at again.
    sign = _SIGN.search(text)
    left = _MOST
    while sign is not None:
        following = sign.end()
        key = _KEY_REVERSED.match(backwards, length - sign.start(), length - position)
        if key is not None:
            left -= 1
            if left < 0 or sensitive > _MOST_SENSITIVE:
                return "".join([*kept, text[position:following], REDACTED])
            name = text[length - key.end() : length - key.start("key")]
            # Most keys are neither, and then nothing more is to be asked.
            if (is_sensitive(name) or name.lower() in _SECOND_WORDS) and _names_secret(
                text, name, key, sign.group(), is_sensitive
            ):
                sensitive += 1
                start, end = _value(text, name, following)
                if end > start:
                    kept += [text[position:start], REDACTED]
                    position = following = end
        sign = _SIGN.search(text, following)
    return "".join([*kept, text[position:]]) if kept else text


def _names_secret(text: str, name: str, key: re.Match[str], sign: str, is_sensitive: Callable[[str], bool]) -> bool:
    start = len(text) - key.end()
    lowered = name.lower()
    if lowered in _SECOND_WORDS:
        previous = _PREVIOUS.search(text, max(0, start - 21), start)
        if previous is not None and is_sensitive(f"{previous[1]}_{lowered}"):
            return True
        # In a sentence `key` is any key.
        return (key["quote"] is not None or _is_element(text, start, sign)) and is_sensitive(name)
    return is_sensitive(name) and (sign != ">" or _is_element(text, start, sign))


def _is_element(text: str, start: int, sign: str) -> bool:
    return sign == ">" and text[start - 1 : start] == "<"


def _value(text: str, name: str, after: int) -> tuple[int, int]:
    """Return where the value begins and ends."""
    start = _end(_SPACES, text, after)
    opening = _OPENING.match(text, start)
    if opening is not None:
        return opening.end(), _closing_quote(text, opening)
    if text[start : start + 1] in ("[", "{", "("):
        return start, _end(_BARE, text, _closing_bracket(text, start))
    if "cookie" in name.lower():
        return start, _end(_LINE, text, start)
    authorization = _authorization().match(text, start)
    return start, authorization.end() if authorization is not None else _end(_BARE, text, start)


def _end(characters: re.Pattern[str], text: str, start: int) -> int:
    """Return where a run of characters ends, which may be where it would begin."""
    run = characters.match(text, start)
    return start if run is None else run.end()


def _closing_quote(text: str, opening: re.Match[str]) -> int:
    """Return where the quote closes: at one that is escaped as often as it, or less."""
    depth = len(opening[1])
    for quote in _QUOTES[opening[2]].finditer(text, opening.end()):
        escapes = len(quote[1])
        if (escapes % 2 == 0) if depth == 0 else escapes <= depth:
            return quote.end() - 1 - min(depth, escapes)
    return len(text)


def _closing_bracket(text: str, start: int) -> int:
    depth = 0
    for bracket in _BRACKETS.finditer(text, start):
        depth += 1 if bracket.group() in "[{(" else -1
        if depth == 0:
            return bracket.end()
    return len(text)
