"""Masking of values by their key and their form, in any nesting."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote_plus

from mita_otel.redaction.keys import is_sensitive_key
from mita_otel.redaction.patterns import REDACTED, is_card_number, redact_text

_DEPTH: Final = 8
"""Levels of nesting that are looked into; what is deeper is masked whole."""

_CARD_DIGITS: Final = range(13, 20)


def cap(text: str, limit: int) -> str:
    """Return the text, cut to `limit` characters with a mark that says how long it was."""
    if len(text) <= limit:
        return text
    mark = f"...[truncated, {len(text)} characters]"
    return text[: max(0, limit - len(mark))] + mark


def redact_value(key: str | None, value: object) -> object:
    """Return a value masked: whole if its key is sensitive, else wherever a sensitive form is found in it.

    Mappings and sequences are copied, not changed; other objects are returned as they are. A fault masks the value.
    """
    try:
        return _redact(key, value, 0)
    except Exception:  # noqa: BLE001 - what cannot be judged does not leave
        return REDACTED


def _redact(key: str | None, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if key is not None and is_sensitive_key(key):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int):
        digits = str(value) if 0 < value < 10**19 else ""
        return REDACTED if len(digits) in _CARD_DIGITS and is_card_number(digits) else value
    return _nested(value, depth)


def _nested(value: object, depth: int) -> object:
    if not isinstance(value, (bytes, bytearray, Mapping, Sequence, set, frozenset)):
        return value
    if depth >= _DEPTH:
        return REDACTED
    if isinstance(value, (bytes, bytearray)):
        return redact_text(value.decode("latin-1")).encode("latin-1")
    if isinstance(value, Mapping):
        return {name: _redact(name if isinstance(name, str) else None, item, depth + 1) for name, item in value.items()}
    items = [_redact(None, item, depth + 1) for item in value]
    return tuple(items) if isinstance(value, tuple) else items


def redact_query(query: str) -> str:
    """Return a query string with the values of sensitive keys and of sensitive forms masked; its structure stays."""
    return "&".join(_parameter(parameter) for parameter in query.split("&"))


def _parameter(parameter: str) -> str:
    key, equals, value = parameter.partition("=")
    if not equals:
        return _plain(parameter)
    return f"{_plain(key)}={REDACTED if value and is_sensitive_key(unquote_plus(key)) else _plain(value)}"


def _plain(text: str) -> str:
    """Return encoded text as it is, or masked if its decoded form holds something sensitive."""
    decoded = unquote_plus(text)
    return text if redact_text(decoded) == decoded else REDACTED


def redact_url(url: str) -> str:
    """Return a URL without user and password, its path, query and fragment masked; other text is masked too."""
    head, mark, fragment = url.partition("#")
    before, question, query = head.partition("?")
    scheme, separator, rest = before.partition("://")
    if separator:
        authority, slash, path = rest.partition("/")
        userinfo, at, host = authority.rpartition("@")
        before = f"{scheme}://{REDACTED + at if userinfo else ''}{host}{slash}{redact_text(path)}"
    else:
        before = redact_text(before)
    return f"{before}{question}{redact_query(query)}{mark}{_plain(fragment)}"
