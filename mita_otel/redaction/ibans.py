"""International bank account numbers."""

import re
from functools import cache
from itertools import groupby, islice
from typing import Final

_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
    "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
    "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
    "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)

LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}
"""Characters of an account number by country. Source: ISO 13616 registry."""

_COUNTRIES: Final = "|".join(
    f"{first}[{''.join(code[1] for code in codes)}]" for first, codes in groupby(sorted(LENGTHS), lambda code: code[0])
)
AHEAD: Final = rf"(?<=[A-Za-z]{{2}}[0-9])(?<=(?:{_COUNTRIES}|{_COUNTRIES.lower()})[0-9])"
"""What follows the first digit of an account number to say that a country's code is before it."""

_NUMBERS: Final = {ord(letter): str(number) for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]+")
_HASHES: Final = frozenset({16, 24, 32})
_MOST: Final = 500
"""Candidates that are judged in one text; one with more is masked from there on: time is bounded, not masking."""


# Most texts have no digit behind a country, and no service waits for this to start.
@cache
def _candidates() -> re.Pattern[str]:
    return re.compile(
        rf"[0-9]{AHEAD}(?:(?<![A-Za-z0-9][A-Za-z]{{2}}[0-9])|(?<=\\[nrtbf][A-Za-z]{{2}}[0-9]))"
        r"(?=([0-9](?:[ -]?[A-Za-z0-9]){11,29}))"
    )


def is_iban(compact: str) -> bool:
    """Say whether an upper-case text without spaces is an IBAN. Source: ISO 13616-1, modulo 97."""
    if LENGTHS.get(compact[:2]) != len(compact) or not (compact.isascii() and compact.isalnum()):
        return False
    return int((compact[4:] + compact[:4]).translate(_NUMBERS)) % 97 == 1


def find_ibans(text: str) -> list[tuple[int, int]]:
    """Return where IBANs begin and end: upper or lower case, single spaces or hyphens between the characters."""
    found = []
    candidates = _candidates().finditer(text)
    for match in islice(candidates, _MOST):
        start = match.start() - 2
        candidate = text[start : match.end()] + match[1]
        length = LENGTHS.get(candidate[:2].upper(), 0)
        compact = candidate.replace(" ", "").replace("-", "")[:length]
        if _is_account(compact):
            end = start + _width(candidate, length)
            if not text[end : end + 1].isalnum():
                found.append((start, end))
    return found + [(match.start() - 2, len(text)) for match in islice(candidates, 1)]


def _is_account(compact: str) -> bool:
    """Say whether it is an IBAN in any case and does not look as span ids, object ids and trace ids do."""
    return is_iban(compact.upper()) and not (len(compact) in _HASHES and _HEXADECIMAL.fullmatch(compact))


def _width(candidate: str, length: int) -> int:
    """Return how many characters hold the first `length` letters and digits."""
    seen = 0
    for position, character in enumerate(candidate, start=1):
        seen += character.isalnum()
        if seen == length:
            return position
    return len(candidate)
