"""A cheap look at a text before it is searched: most texts hold nothing that any form could not do without."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mita_otel.redaction.patterns import Pattern

_DIGIT: Final = re.compile("[0-9]")


class Sieve:
    """Tells which of some patterns a text may hold. It may say too many, never too few.

    Args:
        patterns: forms that are looked for, in this order.
    """

    __slots__ = ("_hints", "_hints_with_digits", "_patterns", "_sieves")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)
        searched = [pattern for pattern in patterns if pattern.sieve is None]
        # An empty hint is in every text: a form without hints is looked for everywhere.
        self._hints = _by_mark(pattern.hints or ("",) for pattern in searched if not pattern.digits)
        self._hints_with_digits = _by_mark(pattern.hints or ("",) for pattern in searched if pattern.digits)
        self._sieves = tuple(dict.fromkeys(pattern.sieve for pattern in patterns if pattern.sieve is not None))

    def is_plain(self, text: str) -> bool:
        """Say whether a text certainly holds none of the patterns."""
        lowered = text.lower()
        if _hinted(lowered, self._hints):
            return False
        if _DIGIT.search(text) is None:
            return True
        for sieve in self._sieves:
            if sieve.search(text) is not None:
                return False
        return not _hinted(lowered, self._hints_with_digits)

    def concerned(self, text: str) -> Iterator[Pattern]:
        """Yield the patterns that a text may hold."""
        lowered = text.lower()
        digits = sum(map(text.count, "0123456789"))
        passed = {sieve for sieve in self._sieves if sieve.search(text) is not None}
        for pattern in self._patterns:
            if digits < pattern.digits or (pattern.sieve is not None and pattern.sieve not in passed):
                continue
            if not pattern.hints or any(hint in lowered for hint in pattern.hints):
                yield pattern


def _hinted(lowered: str, hints: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    # Loops, for a generator costs as much as all of them.
    for mark, marked in hints:
        if mark in lowered:
            for hint in marked:
                if hint in lowered:
                    return True
    return False


def _by_mark(groups: Iterator[tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return hints by a character that is rarer than letters, looked for first; by nothing if they have none."""
    marked: dict[str, list[str]] = {}
    for hint in dict.fromkeys(hint for group in groups for hint in group):
        mark = next((character for character in hint if not character.isalnum()), "")
        marked.setdefault(mark, []).append(hint)
    return tuple((mark, tuple(hints)) for mark, hints in marked.items())
