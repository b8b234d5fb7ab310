"""Card numbers: what a range of issuers and Luhn's sum allow."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Final

_START: Final = r"(?:(?<![0-9A-Za-z][0-9])|(?<=\\[nrtbf][0-9]))(?<![0-9]\.[0-9])(?<![\s,=(\[:]\.[0-9])"
"""What follows the first digit to say that it is the first, and that no fraction of a number begins there."""

_END: Final = r"(?![0-9A-Za-z])(?!\.[0-9])"
_SEPARATORS: Final = " -\u00a0\u2010\u2011\u202f"
_SEPARATOR: Final = f"[{re.escape(_SEPARATORS)}]"
_UNSEPARATED: Final = str.maketrans("", "", _SEPARATORS)
_LEAST: Final = 13

_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}(?=[0-9])")
_LONGEST_ENCLOSING: Final = 52

_ISSUERS: Final[tuple[tuple[str, range, frozenset[int]], ...]] = (
    ("Visa", range(4000, 5000), frozenset({13, 16, 19})),
    ("Mastercard", range(5100, 5600), frozenset({16})),
    ("Mastercard", range(2221, 2721), frozenset({16})),
    ("American Express", range(3400, 3500), frozenset({15})),
    ("American Express", range(3700, 3800), frozenset({15})),
    ("Diners Club", range(3000, 3060), frozenset({14, 16, 19})),
    ("Diners Club", range(3095, 3096), frozenset({14, 16, 19})),
    ("Diners Club", range(3600, 3700), frozenset({14, 16, 19})),
    ("Diners Club", range(3800, 4000), frozenset({14, 16, 19})),
    ("JCB", range(3528, 3590), frozenset({16, 17, 18, 19})),
    ("Discover", range(6011, 6012), frozenset({16, 17, 18, 19})),
    ("Discover", range(6440, 6600), frozenset({16, 17, 18, 19})),
    ("RuPay", range(6000, 6100), frozenset({16})),
    ("RuPay", range(8200, 8300), frozenset({16})),
    ("UnionPay", range(6200, 6300), frozenset({16, 17, 18, 19})),
    ("UnionPay", range(8100, 8200), frozenset({16, 17, 18, 19})),
    ("Maestro", range(5000, 5100), frozenset(range(13, 20))),
    ("Maestro", range(5600, 5900), frozenset(range(13, 20))),
    ("Maestro", range(6300, 6400), frozenset(range(13, 20))),
    ("Maestro", range(6700, 6800), frozenset(range(13, 20))),
    ("Mir", range(2200, 2205), frozenset({16, 17, 18, 19})),
    ("Troy", range(9792, 9793), frozenset({16})),
)
"""Issuers by the first four digits, with their numbers' lengths. Source: ISO/IEC 7812 registrations, as published."""


def _lengths() -> dict[int, frozenset[int]]:
    """Return the lengths of numbers by their first four digits; of issuers that share those, all."""
    found: dict[int, frozenset[int]] = {}
    for _, firsts, lengths in _ISSUERS:
        for first in firsts:
            known = found.get(first)
            found[first] = lengths if known is None else known | lengths
    return found


_LENGTHS: Final = _lengths()
_ONCE: Final = bytes(code % 16 for code in range(256))
_DOUBLED: Final = bytes(sum(divmod(2 * (code % 16), 10)) for code in range(256))
"""What an ASCII digit counts, by its code: itself, or the digit sum of its double."""

_DINERS: Final = ("30", "36", "38", "39")
_SHORT_GROUP: Final = 3
_MOST: Final = 500
"""Candidates that are judged in one text; one with more is masked from there on: time is bounded, not masking."""

_Span = tuple[int, int]


# Few texts have so many digits, and no service waits for these to start.
@cache
def _numbers_alone() -> re.Pattern[str]:
    """13 to 19 digits, separated in any way, with no more digits around them."""
    return re.compile(
        rf"[0-9]{_START}(?<![0-9]{_SEPARATOR}[0-9])(?:{_SEPARATOR}?[0-9]){{12,18}}{_END}(?!{_SEPARATOR}[0-9])"
    )


@cache
def _numbers_among_others() -> re.Pattern[str]:
    """A card's usual groups, wherever they begin in a longer row of numbers."""
    return re.compile(
        rf"[2-689]{_START}(?=([0-9]{{12,18}}+{_END}"
        rf"|[0-9]{{3}}({_SEPARATOR})(?:[0-9]{{4}}\2[0-9]{{4}}\2[0-9]{{1,7}}(?:\2[0-9]{{1,3}})?"
        rf"|[0-9]{{4}}\2[0-9]{{5}}|[0-9]{{6}}\2[0-9]{{4,5}}){_END}))"
    )


@cache
def _enclosing() -> re.Pattern[str]:
    """UUIDs, and the ids of a trace and a span together."""
    return re.compile(
        r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
        r"|[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
    )


def is_card_number(digits: str) -> bool:
    """Say whether ASCII digits are a card number: issuer's range, length and Luhn's sum.

    Source: ISO/IEC 7812-1, annex B.
    """
    if len(digits) not in _LENGTHS.get(int(digits[:4] or 0), ()):
        return False
    codes = digits.encode()
    return (sum(codes[-1::-2].translate(_ONCE)) + sum(codes[-2::-2].translate(_DOUBLED))) % 10 == 0


def find_cards(text: str) -> list[tuple[int, int]]:
    """Return where card numbers begin and end, in the order of their starts; some may be found twice."""
    # A percent-encoded character before the number brings digits of its own, of the same width as these letters.
    plain = _PERCENT.sub("%__", text) if "%" in text else text
    return sorted([*_judged(_numbers_alone(), plain, _alone), *_judged(_numbers_among_others(), plain, _among)])


def _judged(candidates: re.Pattern[str], text: str, judge: Callable[[re.Match[str]], int]) -> Iterator[_Span]:
    """Yield what the judge says is a card number; it returns the number's length, 0 for none."""
    found = candidates.finditer(text)
    for match in islice(found, _MOST):
        length = judge(match)
        if length and not _inside(text, match.start(), match.start() + length):
            yield match.start(), match.start() + length
    for match in islice(found, 1):
        yield match.start(), len(text)


def _alone(match: re.Match[str]) -> int:
    text = match.group()
    if not is_card_number(text.translate(_UNSEPARATED)):
        return 0
    # Day, month and year, hours, minutes and seconds are 14 digits too.
    if text.startswith(_DINERS) and any(len(group) < _SHORT_GROUP for group in re.findall("[0-9]+", text)[:-1]):
        return 0
    return len(text)


def _among(match: re.Match[str]) -> int:
    """Return the length of the card number with which a row of groups begins; 0 if with none."""
    text, separator = match[0] + match[1], match[2] or ""
    if not separator:
        return len(text) if is_card_number(text) else 0
    end = len(text)
    while len(digits := text[:end].replace(separator, "")) >= _LEAST:
        if is_card_number(digits):
            return end
        end = text.rfind(separator, 0, end)
    return 0


def _inside(text: str, start: int, end: int) -> bool:
    """Say whether the digits are a part of a UUID or of a `traceparent`."""
    if text[start - 1 : start] != "-" and text[end : end + 1] != "-":
        return False
    around = max(0, start - _LONGEST_ENCLOSING)
    return any(
        one.start() <= start and end <= one.end()
        for one in _enclosing().finditer(text, around, end + _LONGEST_ENCLOSING)
    )
