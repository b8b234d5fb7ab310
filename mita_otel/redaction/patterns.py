"""Sensitive values that are known by their form, found in free text in linear time.

Every expression begins at a boundary and repeats without ambiguity, and is only tried where a plain search finds what
it needs.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mita_otel.redaction.cards import find_cards
from mita_otel.redaction.ibans import find_ibans

REDACTED: Final = "[REDACTED]"

_START: Final = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrtbf]))"
_DIGIT: Final = r"[0-9](?:(?<![0-9A-Za-z][0-9])|(?<=\\[nrtbf][0-9]))"
"""A digit at a boundary; an expression that begins with a set of characters is searched for at a higher speed."""
_MAIL: Final = re.compile(
    r"(?:(?<![\w.+-])|(?<=\\[nrtbf]))[\w.+-]++(?:'[\w.+-]++)?(?:@|%40)"
    r"(?:[^\W_](?:[\w-]{0,62}+)\.){1,8}[^\W\d_](?:[\w-]{1,62}+)"
)
_SSN: Final = re.compile(
    rf"{_DIGIT}(?<![0-9][-.][0-9])[0-9]{{2}}(?<!000)(?<!666)([- ])(?!00)[0-9]{{2}}\1(?!0000)[0-9]{{4}}"
    r"(?![0-9A-Za-z])(?![-.][0-9])"
)
_INTERNATIONAL_PHONE: Final = re.compile(r"\+(?<![\w+]\+)[1-9](?:[ .-]?\(?[0-9]\)?){6,14}(?![0-9A-Za-z])(?![.,][0-9])")
_PHONE: Final = re.compile(
    r"[0-9(](?:(?<![0-9A-Za-z.+-][0-9(])|(?<=\\[nrtbf][0-9(]))"
    r"(?:(?<=\()[0-9]{3}\)[ .-]?|(?<=[0-9])[0-9]{2}[.-]|(?<=1)[ .-](?:\([0-9]{3}\)[ .-]?|[0-9]{3}[ .-]))"
    r"[0-9]{3}[ .-][0-9]{4}(?![0-9A-Za-z])(?![-.][0-9])"
)
_DOTTED: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+){1,4}")
_CREDENTIALS: Final = re.compile(r"(?<![a-z])(bearer|basic)([ \t]{1,8})([a-z0-9._~+/=-]{4,}+)", re.IGNORECASE)
_USERINFO: Final = re.compile(r"://[^\s/?#\"'<>]*@")
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,48}PRIVATE KEY(?: BLOCK)?-----")

_API_KEYS: Final = {
    "sk-": r"sk-[A-Za-z0-9_-]{16,}+",
    "k_": r"[srp]k_(?:live|test|prod)_[A-Za-z0-9]{10,}+",
    "whsec_": r"whsec_[A-Za-z0-9+/=]{16,}+",
    "akia": r"AKIA[0-9A-Z]{16}",
    "asia": r"ASIA[0-9A-Z]{16}",
    "aiza": r"AIza[A-Za-z0-9_-]{30,}+",
    "ya29.": r"ya29\.[A-Za-z0-9_-]{20,}+",
    "gh": r"gh[pousr]_[A-Za-z0-9]{20,}+",
    "github_pat_": r"github_pat_[A-Za-z0-9_]{20,}+",
    "glpat-": r"glpat-[A-Za-z0-9_-]{16,}+",
    "xox": r"xox[abeoprs]-[A-Za-z0-9-]{10,}+",
    "sg.": r"SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+",
    "npm_": r"npm_[A-Za-z0-9]{30,}+",
    "pypi-": r"pypi-[A-Za-z0-9_-]{30,}+",
    "hf_": r"hf_[A-Za-z0-9]{30,}+",
}
"""API keys of well-known issuers, each with the plain text that it cannot do without."""

_API_KEY: Final = re.compile(rf"{_START}(?:{'|'.join(_API_KEYS.values())})")
_SURE_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class Pattern:
    """A form that sensitive values have.

    Args:
        name: what it is called in documentation and tests.
        mask: returns a text with the form masked; linear in the length of the text, which has at most 65,536
            characters.
        hints: plain texts in lower case; the form is only looked for where one of them is; empty: everywhere.
        digits: how many digits the form needs at least.
    """

    name: str
    mask: Callable[[str], str]
    hints: tuple[str, ...] = ()
    digits: int = 0


def _replace(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with the spans masked; they are in the order of their starts and may overlap."""
    kept: list[str] = []
    position = 0
    for start, end in spans:
        if start >= position:
            kept += [text[position:start], REDACTED]
        position = max(position, end)
    return "".join([*kept, text[position:]]) if kept else text


def _mask_cards(text: str) -> str:
    return _replace(text, find_cards(text))


def _mask_ibans(text: str) -> str:
    return _replace(text, find_ibans(text))


def _mask_mail(text: str) -> str:
    return _MAIL.sub(REDACTED, text)


def _mask_ssn(text: str) -> str:
    return _SSN.sub(REDACTED, text)


def _mask_phone(text: str) -> str:
    return _PHONE.sub(REDACTED, _INTERNATIONAL_PHONE.sub(REDACTED, text) if "+" in text else text)


def _mask_userinfo(text: str) -> str:
    return _USERINFO.sub(f"://{REDACTED}@", text)


def _mask_api_keys(text: str) -> str:
    return _API_KEY.sub(REDACTED, text)


def _mask_jwt(text: str) -> str:
    return _DOTTED.sub(_jwt, text)


def _jwt(match: re.Match[str]) -> str:
    # The word may have a prefix, as in `session_eyJ...`.
    before, mark, _ = match.group().partition("eyJ")
    return before + REDACTED if mark and "." not in before else match.group()


def _mask_credentials(text: str) -> str:
    return _CREDENTIALS.sub(_credentials, text)


def _credentials(match: re.Match[str]) -> str:
    scheme, space, value = match.groups()
    is_secret = _is_basic(value) if scheme.lower() == "basic" else not value.isalpha() or len(value) >= _SURE_LENGTH
    return f"{scheme}{space}{REDACTED}" if is_secret else match.group()


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


PATTERNS: Final = (
    Pattern("private key", _mask_private_keys, ("-----begin",)),
    Pattern("user and password in a URL", _mask_userinfo, ("://",)),
    Pattern("JWT", _mask_jwt, ("eyj",)),
    Pattern("API key", _mask_api_keys, tuple(_API_KEYS), digits=1),
    Pattern("e-mail address", _mask_mail, ("@", "%40")),
    Pattern("card number", _mask_cards, digits=13),
    Pattern("IBAN", _mask_ibans, digits=2),
    Pattern("social security number", _mask_ssn, ("-", " "), digits=9),
    Pattern("telephone number", _mask_phone, ("+", "-", ".", "("), digits=7),
    Pattern("bearer and basic credentials", _mask_credentials, ("bearer", "basic")),
)
"""The forms, in the order in which they are looked for: what holds others comes first."""
