"""Generators of sensitive values, and of values that only look so."""

import base64
import json
import string
from typing import Any, Final

from hypothesis import strategies as st

from mita_otel.redaction.cards import is_card_number
from mita_otel.redaction.ibans import LENGTHS

_BRANDS: Final = {
    "visa": (["4"], [13, 16, 19]),
    "mastercard": (["51", "55", "2221", "2720"], [16]),
    "american express": (["34", "37"], [15]),
    "discover": (["6011", "644", "65"], [16, 19]),
    "diners club": (["300", "305", "36", "38"], [14]),
    "jcb": (["3528", "3589"], [16]),
    "unionpay": (["62"], [16, 17, 18, 19]),
    "maestro": (["5018", "6304", "6759"], [13, 14, 15, 16, 17, 18, 19]),
    "mir": (["2200", "2204"], [16]),
}
_GROUPS: Final = {14: (4, 6, 4), 15: (4, 6, 5)}
_DIGITS: Final = "0123456789"
_URL_SAFE: Final = string.ascii_letters + string.digits


def _luhn(digits: str) -> int:
    """The check digit, by the schoolbook method."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number // 10 + number % 10
    return -total % 10


@st.composite
def card_digits(draw: st.DrawFn) -> str:
    """A valid number of any brand, without separators."""
    prefixes, lengths = draw(st.sampled_from(sorted(_BRANDS.values(), key=str)))
    prefix, length = draw(st.sampled_from(prefixes)), draw(st.sampled_from(lengths))
    rest = length - len(prefix) - 1
    body = prefix + draw(st.text(_DIGITS, min_size=rest, max_size=rest))
    return f"{body}{_luhn(body)}"


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A valid number as people write it."""
    digits = draw(card_digits())
    separator = draw(st.sampled_from(["", " ", "-"]))
    parts, position = [], 0
    for size in _GROUPS.get(len(digits), (4, 4, 4, 4, 4)):
        parts.append(digits[position : position + size])
        position += size
    return separator.join(part for part in parts if part)


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """A valid account number of any country, with or without spaces."""
    country = draw(st.sampled_from(sorted(LENGTHS)))
    size = LENGTHS[country] - 4
    account = draw(st.text(_DIGITS + string.ascii_uppercase, min_size=size, max_size=size))
    number = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    compact = f"{country}{98 - int(number) % 97:02}{account}"
    if draw(st.booleans()):
        return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))
    return compact


@st.composite
def ssns(draw: st.DrawFn) -> str:
    """A US social security number."""
    area = draw(st.integers(1, 899).filter(lambda number: number != 666))
    return f"{area:03}-{draw(st.integers(1, 99)):02}-{draw(st.integers(1, 9999)):04}"


def _encoded(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode().rstrip("=")


@st.composite
def jwts(draw: st.DrawFn) -> str:
    """A signed token."""
    claims = _encoded({"sub": draw(st.text(max_size=20)), "exp": draw(st.integers(0, 2**32))})
    signature = draw(st.text(_URL_SAFE + "-_", min_size=20, max_size=43))
    return f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{claims}.{signature}"


@st.composite
def mails(draw: st.DrawFn) -> str:
    """An e-mail address."""
    local = draw(st.from_regex(r"[a-z][a-z0-9]{0,10}([._+-][a-z0-9]{1,8})?", fullmatch=True))
    domain = draw(st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9](\.[a-z]{2,5}){1,2}", fullmatch=True))
    return f"{local}@{domain}"


secrets: Final = st.one_of(cards(), ibans(), ssns(), jwts(), mails())
"""Any of these forms."""

harmless: Final = st.one_of(
    st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}"),
    st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}").filter(lambda text: not text.isdigit()),
    st.uuids().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9).map(str),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.integers(1_500_000_000_000_000_000, 1_999_999_999_999_999_999).map(str),
    st.integers(10**12, 10**19 - 1).map(str).filter(lambda digits: not is_card_number(digits)),
    st.from_regex(r"ORD-20[0-9]{2}-[0-9]{6}", fullmatch=True),
)
"""Trace ids, span ids, UUIDs, floats, amounts, timestamps, epoch nanoseconds, order ids."""

plain_words: Final = st.sampled_from(
    ["", "the ", "of 20 ", "payment: ", "(", "refused, ", 'note="', "\n", "café ", "é"]
)
"""What stands before a value in a sentence."""
