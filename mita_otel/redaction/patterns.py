"""Sensitive values that are known by their form, found in free text in linear time.

Every expression begins at a boundary and repeats without ambiguity, and is only tried where a plain search finds what
it needs.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

from mita_otel.redaction.cards import find_cards
from mita_otel.redaction.ibans import AHEAD, find_ibans

REDACTED: Final = "[REDACTED]"

_START: Final = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrtbf]))"
_DIGIT: Final = r"[0-9](?:(?<![0-9A-Za-z][0-9])|(?<=\\[nrtbf][0-9]))"
"""A digit at a boundary; an expression that begins with a set of characters is searched for at a higher speed."""
_AT: Final = re.compile(r"@(?<=[\w.+-]@)|%40(?<=[\w.+-]%40)")
_LOCAL_REVERSED: Final = re.compile(r"[\w.+-]++(?:'[\w.+-]++)?")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,62}+)\.){1,8}[^\W\d_](?:[\w-]{1,62}+)")
_ESCAPE: Final = re.compile(r"\\[nrtbf]")
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]*+(?:\.[A-Za-z0-9_-]*+){1,4}")
_USERINFO: Final = re.compile(r"(?<=://)[^\s/?#\"'<>]+(?=@)")
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,48}PRIVATE KEY(?: BLOCK)?-----")

_API_KEYS: Final = {
    r"sk-[A-Za-z0-9_-]{16,}+": ("sk-",),
    r"[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}+": ("k_live_", "k_test_", "k_prod_"),
    r"whsec_[A-Za-z0-9+/=]{16,}+": ("whsec_",),
    r"AKIA[0-9A-Z]{16}": ("AKIA",),
    r"ASIA[0-9A-Z]{16}": ("ASIA",),
    r"AIza[A-Za-z0-9_-]{30,}+": ("AIza",),
    r"ya29\.[A-Za-z0-9_-]{20,}+": ("ya29.",),
    r"gh[pousr]_[A-Za-z0-9]{20,}+": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    r"github_pat_[A-Za-z0-9_]{20,}+": ("github_pat_",),
    r"glpat-[A-Za-z0-9_-]{16,}+": ("glpat-",),
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}+": ("xox",),
    r"SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+": ("SG.",),
    r"npm_[A-Za-z0-9]{30,}+": ("npm_",),
    r"pypi-[A-Za-z0-9_-]{30,}+": ("pypi-",),
    r"hf_[A-Za-z0-9]{30,}+": ("hf_",),
}
"""API keys of well-known issuers, each with the plain texts of which it cannot do without one."""

_PREFIXES: Final = tuple(prefix for prefixes in _API_KEYS.values() for prefix in prefixes)
_SURE_LENGTH: Final = 20
_MOST: Final = 500
"""Forms of one kind that are masked in one text; one with more is masked from there on: time is bounded."""


# What texts of a start have no use for, no service waits for.
@cache
def _numbers() -> re.Pattern[str]:
    return re.compile(
        rf"""
        [0-9+](?:
          (?=[0-9 .()\-\u00a0\u2010\u2011\u202f]{{7}})(?: # most numbers are too short for anything that follows
            (?<=[0-9])(?:[ \-\u00a0\u2010\u2011\u202f]?[0-9]){{12}}
          | (?<=[0-9])[0-9]{{2}}(?: [- ][0-9]{{2}}[- ][0-9]{{4}} | \)?[ .-]?[0-9]{{3}}[ .-][0-9]{{4}} )
          | (?<=\+)[1-9](?:[ .-]?\(?[0-9]\)?){{6}}
          )
        | {AHEAD}[0-9](?:[ -]?[A-Za-z0-9]){{11}}
        )
        """,
        re.VERBOSE,
    )


@cache
def _credentials() -> re.Pattern[str]:
    return re.compile(r"(?<![a-z])(bearer|basic)[ \t]{1,8}([a-z0-9._~+/=-]{4,}+)", re.IGNORECASE)


@cache
def _security_numbers() -> re.Pattern[str]:
    return re.compile(
        rf"{_DIGIT}(?<![0-9][-.][0-9])[0-9]{{2}}(?<!000)(?<!666)([- ])(?!00)[0-9]{{2}}\1(?!0000)[0-9]{{4}}"
        r"(?![0-9A-Za-z])(?![-.][0-9])"
    )


@cache
def _international_phones() -> re.Pattern[str]:
    return re.compile(r"\+(?<![\w+]\+)[1-9](?:[ .-]?\(?[0-9]\)?){6,14}(?![0-9A-Za-z])(?![.,][0-9])")


@cache
def _phones() -> re.Pattern[str]:
    return re.compile(
        r"[0-9(](?:(?<![0-9A-Za-z.+-][0-9(])|(?<=\\[nrtbf][0-9(]))"
        r"(?:(?<=\()[0-9]{3}\)[ .-]?|(?<=[0-9])[0-9]{2}[.-]|(?<=1)[ .-](?:\([0-9]{3}\)[ .-]?|[0-9]{3}[ .-]))"
        r"[0-9]{3}[ .-][0-9]{4}(?![0-9A-Za-z])(?![-.][0-9])"
    )


@cache
def _api_keys() -> re.Pattern[str]:
    return re.compile(rf"{_START}(?:{'|'.join(_API_KEYS)})")


class Numbers:
    """What every card, account, social security and telephone number has: most texts need not be searched for each."""

    __slots__ = ()

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first, as an expression does."""
        return _numbers().search(text)


class Pattern(NamedTuple):
    """A form that sensitive values have.

    Args:
        name: what it is called in documentation and tests.
        mask: returns a text with the form masked; linear in the length of the text, which has at most 65,536
            characters.
        hints: plain texts in lower case; the form is only looked for where one of them is; empty: everywhere.
        digits: how many digits the form needs at least.
        sieve: something that the form cannot do without, in a text that has so many digits.
    """

    name: str
    mask: Callable[[str], str]
    hints: tuple[str, ...] = ()
    digits: int = 0
    sieve: re.Pattern[str] | Numbers | None = None


def _replace(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with the spans masked; they are in the order of their starts and may overlap."""
    kept: list[str] = []
    position = 0
    left = iter(spans)
    for start, end in islice(left, _MOST):
        if start >= position:
            kept += [text[position:start], REDACTED]
        position = max(position, end)
    for start, _ in islice(left, 1):
        kept += [text[position:start], REDACTED]
        position = len(text)
    return "".join([*kept, text[position:]]) if kept else text


def _masking(form: re.Pattern[str]) -> Callable[[str], str]:
    return lambda text: _replace(text, (match.span() for match in form.finditer(text)))


def _mask_cards(text: str) -> str:
    return _replace(text, find_cards(text))


def _mask_ibans(text: str) -> str:
    return _replace(text, find_ibans(text))


def _mask_mail(text: str) -> str:
    return _replace(text, _find_mail(text))


def _find_mail(text: str) -> Iterator[tuple[int, int]]:
    """Yield where addresses begin and end, looked for from their signs in both directions: signs are rare."""
    signs = _AT.finditer(text)
    backwards = text[::-1]
    for sign in islice(signs, _MOST):
        domain = _DOMAIN.match(text, sign.end())
        local = _LOCAL_REVERSED.match(backwards, len(text) - sign.start())
        if domain is not None and local is not None:
            start = len(text) - local.end()
            # In JSON inside a text the line break before an address has a letter of its own.
            yield start + (_ESCAPE.match(text, start - 1) is not None if start else 0), domain.end()
    for sign in islice(signs, 1):
        yield sign.start(), len(text)


def _mask_security_numbers(text: str) -> str:
    return _masking(_security_numbers())(text)


def _mask_phone(text: str) -> str:
    return _masking(_phones())(_masking(_international_phones())(text) if "+" in text else text)


def _mask_api_keys(text: str) -> str:
    return _masking(_api_keys())(text) if any(prefix in text for prefix in _PREFIXES) else text


def _mask_credentials(text: str) -> str:
    return _replace(text, _find_credentials(text))


def _find_credentials(text: str) -> Iterator[tuple[int, int]]:
    found = _credentials().finditer(text)
    for match in islice(found, _MOST):
        scheme, value = match.groups()
        if _is_basic(value) if scheme.lower() == "basic" else not value.isalpha() or len(value) >= _SURE_LENGTH:
            yield match.span(2)
    for match in islice(found, 1):
        yield match.start(2), len(text)


def _is_basic(value: str) -> bool:
    """Say whether a word is `user:password` in Base64, and not the next word of a sentence."""
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return len(value) >= _SURE_LENGTH


def _mask_private_keys(text: str) -> str:
    spans = []
    position = 0
    while (match := _PRIVATE_KEY.search(text, position)) is not None:
        end = text.find("-----END", match.end())
        closing = -1 if end < 0 else text.find("-----", end + 8)
        position = len(text) if closing < 0 else closing + 5
        spans.append((match.start(), position))
    return _replace(text, spans)


_NUMBERS: Final = Numbers()

PATTERNS: Final = (
    Pattern("private key", _mask_private_keys, ("-----begin",)),
    Pattern("user and password in a URL", _masking(_USERINFO), ("://",)),
    Pattern("JWT", _masking(_JWT), ("eyj",)),
    Pattern("API key", _mask_api_keys, tuple(prefix.lower() for prefix in _PREFIXES)),
    Pattern("e-mail address", _mask_mail, ("@", "%40")),
    Pattern("card number", _mask_cards, digits=13, sieve=_NUMBERS),
    Pattern("IBAN", _mask_ibans, digits=2, sieve=_NUMBERS),
    Pattern("social security number", _mask_security_numbers, ("-", " "), digits=9, sieve=_NUMBERS),
    Pattern("telephone number", _mask_phone, ("+", "-", ".", "("), digits=7, sieve=_NUMBERS),
    Pattern("bearer and basic credentials", _mask_credentials, ("bearer", "basic")),
)
"""The forms, in the order in which they are looked for: what holds others comes first."""
