"""URLs and query strings that keep their structure and lose what is sensitive."""

import re
from collections.abc import Callable
from typing import Final

from mita_otel.redaction.encoded import decodings
from mita_otel.redaction.patterns import REDACTED

_PARAMETERS: Final = re.compile("([&;])")
_SEGMENTS: Final = re.compile("([/;,])")
_HOST: Final = re.compile(r"[\w.:\[\]-]*+")


def redact_query(query: str, text: Callable[[str], str], is_sensitive: Callable[[str], bool]) -> str:
    """Return a query string with the values of sensitive keys and of sensitive forms masked."""
    return "".join(_parameter(part, text, is_sensitive) for part in _PARAMETERS.split(query))


def redact_path(path: str, text: Callable[[str], str]) -> str:
    """Return a path with each segment masked that holds something sensitive."""
    if "%" not in path and "+" not in path and text(path) == path:
        return path
    return "".join(_encoded(segment, text) for segment in _SEGMENTS.split(path))


def redact_url(url: str, text: Callable[[str], str], is_sensitive: Callable[[str], bool]) -> str:
    """Return a URL without user and password; path, query and fragment masked."""
    head, hash_mark, fragment = url.partition("#")
    before, question, query = head.partition("?")
    scheme, slashes, rest = before.partition("//")
    if slashes and (not scheme or scheme.endswith(":")):
        authority, slash, path = rest.partition("/")
        userinfo, at, host = authority.rpartition("@")
        user = REDACTED + at if userinfo else ""
        server = host if _HOST.fullmatch(host) else text(host)
        before = f"{scheme}//{user}{server}{slash}{redact_path(path, text)}"
    else:
        before = redact_path(before, text)
    tail = redact_query(fragment, text, is_sensitive) if "=" in fragment else _encoded(fragment, text)
    return f"{before}{question}{redact_query(query, text, is_sensitive)}{hash_mark}{tail}"


def _parameter(parameter: str, text: Callable[[str], str], is_sensitive: Callable[[str], bool]) -> str:
    key, equals, value = parameter.partition("=")
    if not equals:
        return _encoded(parameter, text)
    masked = REDACTED if value and _names_secret(key, is_sensitive) else _encoded(value, text)
    return f"{_encoded(key, text)}={masked}"


def _encoded(part: str, text: Callable[[str], str]) -> str:
    """Return encoded text as it is, or masked whole if its decoded form holds something sensitive."""
    if text(part) != part:
        return REDACTED
    if "%" not in part and "+" not in part:
        return part
    return part if all(text(decoded) == decoded for decoded in decodings(part)) else REDACTED


def _names_secret(key: str, is_sensitive: Callable[[str], bool]) -> bool:
    return is_sensitive(key) or (("%" in key or "+" in key) and any(map(is_sensitive, decodings(key))))
