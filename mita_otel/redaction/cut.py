"""Text cut to a length, with a mark that says so."""

import re
from typing import Final

TAIL: Final = 256
"""Characters given up before a cut: they may be the first half of a secret that no pattern recognises any more."""

UNKNOWN: Final = "...[truncated]"
"""The mark after a cut that was made elsewhere, so that the full length is not known."""

_MARK: Final = re.compile(r"[.]{3}\[truncated, [0-9]+ characters\]\Z")
_LONGEST_MARK: Final = 48


def cap(text: str, limit: int) -> str:
    """Return the text, cut to `limit` characters, a mark with its full length included.

    Args:
        text: what to cut; it should be masked already, or else a cut may go through a secret. If it was cut before,
            the length that its mark states is kept.
        limit: characters of the result, at least 64 to hold the mark.
    """
    if len(text) <= limit:
        return text
    before = _MARK.search(text, max(0, len(text) - _LONGEST_MARK))
    return cut(text, limit, before[0] if before is not None else length_mark(len(text)))


def length_mark(length: int) -> str:
    """Return the mark after a cut of a text that had so many characters."""
    return f"...[truncated, {length} characters]"


def cut(text: str, limit: int, mark: str) -> str:
    """Return at most `limit` characters of the text that end in `mark`."""
    return text[: max(0, limit - len(mark))] + mark[:limit]


def without_tail(text: str) -> str:
    """Return a text that was cut without its last 256 characters, or the last half of it if it is shorter than 512."""
    return text[: -min(TAIL, (len(text) + 1) // 2)]
