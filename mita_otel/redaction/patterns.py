"""Sensitive values that are known by their form, found in free text in linear time.

Every expression begins at a boundary and is bounded, and is only tried where a plain search finds what it needs.
"""

import re
from collections.abc import Callable
from typing import Final

from mita_otel.redaction.keys import is_sensitive_key

REDACTED: Final = "[REDACTED]"

_CARD: Final = re.compile(
    r"(?<![0-9A-Za-z_.])(?:[0-9]{13,19}"
    r"|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}"
    r"|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5})(?![0-9A-Za-z_]|\.[0-9])"
)
_SSN: Final = re.compile(r"(?<![\w-])(?!000|666|9[0-9]{2})[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])", re.ASCII)
_MAIL_DOMAIN: Final = re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MAIL_LOCAL: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_LONGEST_LOCAL: Final = 64
_PHONE: Final = re.compile(
    r"(?<![\w+.])\+[1-9][0-9]{0,2}[ .-]?(?:\([0-9]{1,4}\)|[0-9]{1,4})(?:[ .-]?[0-9]{2,4}){2,4}(?![\w])"
    r"|(?<![\w.+-])(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}(?![\w-]|\.[0-9])",
    re.ASCII,
)
_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})[0-9]{2}")
_JWT: Final = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?")
_CREDENTIALS: Final = re.compile(r"\b(bearer|basic)[ \t]{1,8}[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_USERINFO: Final = re.compile(r"://[^/\s:@\[\]]{0,256}:[^/\s@]{1,256}@")
_API_KEY: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:sk-[A-Za-z0-9_-]{20,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|AKIA[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,})"
)
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----")
_PAIR: Final = re.compile(
    r"""(?<![A-Za-z0-9_.-])(["']?)([A-Za-z][A-Za-z0-9_.-]{1,63})(\1[ \t]{0,4}[:=][ \t]{0,4})"""
    r"""("(?:[^"\\]|\\.){0,4096}"|'[^']{0,4096}'|[^\s,;&"'{}\[\]()]+)"""
)
_PAIR_HINTS: Final = (
    *("pass", "pwd", "secret", "token", "key", "auth", "cookie", "cvv", "cvc", "cvn", "pin", "ssn", "iban", "swift"),
    *("card", "pan", "account", "routing", "sort", "tax", "credential", "sig", "jwt", "bearer"),
)
_DIGIT: Final = re.compile("[0-9]")

IBAN_LENGTHS: Final[dict[str, int]] = {
    country: int(length)
    for country, length in (
        pair.split("=")
        for pair in ["AD=24", "AE=23", "AL=28", "AT=20", "AZ=28", "BA=20", "BE=16", "BG=22", "BH=22", "BR=29", "BY=28", "CH=21", "CR=22", "CY=28", "CZ=24", "DE=22", "DK=18", "DO=28", "EE=20", "EG=29", "ES=24", "FI=18", "FO=18", "FR=27", "GB=22", "GE=22", "GI=23", "GL=18", "GR=27", "GT=28", "HR=21", "HU=28", "IE=22", "IL=23", "IQ=23", "IS=26", "IT=27", "JO=30", "KW=30", "KZ=20", "LB=28", "LC=32", "LI=21", "LT=20", "LU=20", "LV=21", "MC=27", "MD=24", "ME=22", "MK=19", "MR=27", "MT=31", "MU=30", "NL=18", "NO=15", "PK=24", "PL=28", "PS=29", "PT=25", "QA=29", "RO=24", "RS=22", "SA=24", "SC=31", "SE=24", "SI=19", "SK=24", "SM=27", "ST=25", "SV=28", "TL=23", "TN=24", "TR=26", "UA=29", "VA=22", "VG=24", "XK=20"]
    )
}
"""Characters of an account number by country. Source: ISO 13616 registry."""


def redact_text(text: str) -> str:
    """Return the text with everything masked that is sensitive by its form; linear in the length of the text.

    Masked are card numbers (Luhn and issuer range), IBANs (length and mod 97), US social security numbers, e-mail
    addresses, telephone numbers, JWTs, bearer and basic credentials, API keys, private keys, user and password in URLs,
    and the values of sensitive keys in `key=value` or `"key": "value"` form.
    """
    if "-----BEGIN" in text:
        text = _without_private_keys(text)
    if "://" in text and "@" in text:
        text = _USERINFO.sub(f"://{REDACTED}@", text)
    if "eyJ" in text:
        text = _JWT.sub(REDACTED, text)
    if "@" in text:
        text = _without_mail(text)
    if _DIGIT.search(text) is not None:
        text = _without_numbers(text)
    return _without_credentials(text)


def _without_numbers(text: str) -> str:
    text = _CARD.sub(_unless(is_card_number), text)
    text = _without_ibans(text)
    if "-" in text:
        text = _SSN.sub(REDACTED, text)
    if "+" in text or "-" in text or "." in text:
        text = _PHONE.sub(REDACTED, text)
    return _API_KEY.sub(REDACTED, text)


def _without_credentials(text: str) -> str:
    lowered = text.lower()
    if "bearer" in lowered or "basic" in lowered:
        text = _CREDENTIALS.sub(rf"\1 {REDACTED}", text)
    if ("=" in text or ":" in text) and any(hint in lowered for hint in _PAIR_HINTS):
        text = _PAIR.sub(_mask_pair, text)
    return text


def _mask_pair(match: re.Match[str]) -> str:
    quote, key, middle, value = match.groups()
    if not is_sensitive_key(key) or value[0] == "[":
        return match.group()
    masked = f"{value[0]}{REDACTED}{value[0]}" if value[0] in "\"'" else REDACTED
    return f"{quote}{key}{middle}{masked}"


def _unless(is_sensitive: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    return lambda match: REDACTED if is_sensitive(match.group()) else match.group()


def is_card_number(text: str) -> bool:
    """Say whether digits, with spaces or hyphens between them, are a card number: issuer range and Luhn's sum.

    Source: ISO/IEC 7812-1, annex B; ranges of Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay,
    Maestro and Mir.
    """
    digits = [ord(character) - 48 for character in text if character not in " -"]
    total = sum(digits[-1::-2]) + sum(2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])  # noqa: PLR2004 - Luhn
    return total % 10 == 0 and _has_issuer("".join(map(str, digits)))


def _has_issuer(digits: str) -> bool:
    two, four, six, length = int(digits[:2]), int(digits[:4]), int(digits[:6]), len(digits)
    return (
        (digits[0] == "4" and length in {13, 16, 19})
        or (length == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or 2200 <= four <= 2204))  # noqa: PLR2004 - issuer ranges
        or (length == 15 and two in {34, 37})  # noqa: PLR2004 - as above
        or (length in {14, 16, 19} and (two in {36, 38, 39} or 300 <= six // 1000 <= 305))  # noqa: PLR2004 - as above
        or (length in {16, 19} and (four == 6011 or two == 65 or 644 <= six // 1000 <= 649 or two in {62, 81}))  # noqa: PLR2004 - as above
        or (length in {16, 19} and 3528 <= four <= 3589)  # noqa: PLR2004 - as above
        or (two in {50, 56, 57, 58} and length <= 19)  # noqa: PLR2004 - as above
    )


def is_iban(compact: str) -> bool:
    """Say whether an upper-case text without spaces is an IBAN. Source: ISO 13616-1, modulo 97."""
    if IBAN_LENGTHS.get(compact[:2]) != len(compact) or not compact.isalnum() or not compact.isascii():
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _without_ibans(text: str) -> str:
    kept: list[str] = []
    position = 0
    for match in _IBAN_START.finditer(text):
        end = _iban_end(text, match.start(), IBAN_LENGTHS.get(match.group(1), 0))
        if end and match.start() >= position:
            kept += [text[position : match.start()], REDACTED]
            position = end
    return "".join([*kept, text[position:]]) if kept else text


def _iban_end(text: str, start: int, length: int) -> int:
    """Return where an IBAN that starts here ends, single spaces allowed between its characters; 0 if none does."""
    compact: list[str] = []
    position = start
    while length and position < len(text) and len(compact) < length:
        character = text[position]
        if character.isalnum():
            compact.append(character)
        elif character != " " or text[position - 1] == " ":
            return 0
        position += 1
    followed = position < len(text) and text[position].isalnum()
    return position if not followed and is_iban("".join(compact)) else 0


def _without_mail(text: str) -> str:
    kept: list[str] = []
    position = 0
    for match in _MAIL_DOMAIN.finditer(text):
        start = match.start()
        lowest = max(position, start - _LONGEST_LOCAL)
        while start > lowest and text[start - 1] in _MAIL_LOCAL:
            start -= 1
        if start < match.start():
            kept += [text[position:start], REDACTED]
            position = match.end()
    return "".join([*kept, text[position:]]) if kept else text


def _without_private_keys(text: str) -> str:
    kept: list[str] = []
    position = 0
    while (match := _PRIVATE_KEY.search(text, position)) is not None:
        kept += [text[position : match.start()], REDACTED]
        end = text.find("-----END", match.end())
        closing = -1 if end < 0 else text.find("-----", end + 8)
        position = len(text) if closing < 0 else closing + 5
    return "".join([*kept, text[position:]]) if kept else text
