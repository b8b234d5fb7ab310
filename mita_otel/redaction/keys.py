"""Which names stand for sensitive values, judged word by word.

Source of the list: observability report, sections 1.2 and 3.1.
"""

import re
from functools import lru_cache
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

SENSITIVE_WORDS: Final = frozenset(
    {
        *("password", "passwd", "pwd", "passphrase", "secret", "secrets", "credential", "credentials"),
        *("authorization", "cookie", "cookies", "apikey", "jwt", "bearer", "signature", "sig"),
        *("cvv", "cvc", "cvn", "pin", "ssn", "iban", "swift"),
    }
)
"""A name that holds one of these words is sensitive."""

SENSITIVE_PHRASES: Final = frozenset(
    {
        *(("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("encryption", "key")),
        *(("card", "number"), ("credit", "card"), ("debit", "card"), ("cardnumber",), ("pan",)),
        *(("tax", "id"), ("account", "number"), ("routing", "number"), ("bank", "account"), ("sort", "code")),
        *(("access", "tokens"), ("refresh", "tokens"), ("auth", "header")),
    }
)
"""A name that holds one of these runs of words is sensitive."""

_COUNTED: Final = frozenset(
    {
        *("count", "used", "usage", "type", "limit", "total", "max", "min", "prompt", "completion", "input"),
        *("output", "expires", "expiry", "endpoint", "url", "bucket"),
    }
)
"""Beside one of these, `token` speaks of a number or a place."""


@lru_cache(maxsize=4096)
def is_sensitive_key(name: str) -> bool:
    """Say whether a name in snake, kebab, camel or dotted case stands for a sensitive value.

    Words are matched whole: `author`, `monkey` and `pinned` are not sensitive; neither is `key` by itself, nor
    `tokens`.
    """
    words = tuple(word.lower() for word in _WORDS.findall(name[:256]))
    if not SENSITIVE_WORDS.isdisjoint(words):
        return True
    if "token" in words and _COUNTED.isdisjoint(words):
        return True
    return any(phrase in _phrases(words) for phrase in SENSITIVE_PHRASES)


def _phrases(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[start : start + length] for length in (1, 2) for start in range(len(words))}
