"""The values of sensitive keys in free text: `key=value`, `"key": "value"`, headers, JSON inside JSON, XML elements."""

import re
from collections.abc import Callable
from typing import Final

from mita_otel.redaction.patterns import REDACTED

_KEY: Final = re.compile(
    r"""(?P<key>[\w.-](?<![\w.-][\w.-])[\w.-]++)(?P<quote>\\*+["'])?\]?"""
    r"""[ \t]{0,4}(?P<sign>=>|=(?!=)|:(?![:/=])|>)[ \t]{0,4}""",
    re.ASCII,
)
_PREVIOUS: Final = re.compile(r"([A-Za-z-]{1,20}) \Z")
_OPENING: Final = re.compile(r"""(\\*+)(["'])""")
_QUOTES: Final = {quote: re.compile(rf"(\\*){quote}") for quote in "\"'"}
_BRACKETS: Final = re.compile(r"[\[\](){}]")
_BARE: Final = re.compile(r"""[^\s,;&"'<]*""")
_LINE: Final = re.compile(r"""[^\r\n"']*""")
_AUTHORIZATION: Final = re.compile(
    r"""(?:digest|oauth|hawk|aws4-hmac-sha256)[ \t][^\r\n]*"""
    r"""|(?:bearer|basic|token|apikey|negotiate|ntlm)[ \t]{1,8}[^\s,;"']*""",
    re.IGNORECASE,
)
_SECOND_WORDS: Final = frozenset({"number", "numbers", "no", "code", "id", "key", "account", "card", "security"})


def redact_pairs(text: str, is_sensitive: Callable[[str], bool]) -> str:
    """Return the text with the values of sensitive keys masked; a value that does not end is masked to the end."""
    kept: list[str] = []
    position = 0
    # By `search` from a position, for what a value holds is not looked at again.
    match = _KEY.search(text)
    while match is not None:
        following = match.end()
        if _names_secret(text, match, is_sensitive):
            start, end = _value(text, match)
            if end > start:
                kept += [text[position:start], REDACTED]
                position = following = end
        match = _KEY.search(text, following)
    return "".join([*kept, text[position:]]) if kept else text


def _names_secret(text: str, match: re.Match[str], is_sensitive: Callable[[str], bool]) -> bool:
    key = match["key"]
    start = match.start()
    if match["sign"] == ">" and text[start - 1 : start] != "<":
        return False
    lowered = key.lower()
    if lowered in _SECOND_WORDS:
        previous = _PREVIOUS.search(text, max(0, start - 21), start)
        if previous is not None and is_sensitive(f"{previous[1]}_{lowered}"):
            return True
        # In a sentence `key` is any key.
        return match["quote"] is not None and is_sensitive(key)
    return is_sensitive(key)


def _value(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the value begins and ends."""
    start = match.end()
    opening = _OPENING.match(text, start)
    if opening is not None:
        return opening.end(), _closing_quote(text, opening)
    if text[start : start + 1] in ("[", "{", "("):
        return start, _bare_end(text, _closing_bracket(text, start))
    if "cookie" in match["key"].lower():
        return start, _LINE.match(text, start).end()  # type: ignore[union-attr] # it matches the empty text too
    authorization = _AUTHORIZATION.match(text, start)
    return start, authorization.end() if authorization is not None else _bare_end(text, start)


def _bare_end(text: str, start: int) -> int:
    return _BARE.match(text, start).end()  # type: ignore[union-attr] # it matches the empty text too


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
