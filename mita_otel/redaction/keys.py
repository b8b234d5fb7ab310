"""Which names stand for sensitive values, judged word by word.

Source of the list: observability report, sections 1.2 and 3.1.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

NAMES: Final = frozenset({"key", "auth", "x-auth", "pass"})
"""Names that are sensitive as a whole, but not as a part: `cache.key` and `auth.method` are not."""

WORDS: Final = frozenset(
    {
        *("password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets"),
        *("credential", "credentials", "token", "authorization", "cookie", "cookies", "jwt", "bearer"),
        *("signature", "sig", "otp", "totp", "cvv", "cvc", "cvn", "csc", "pin", "pan", "ssn", "itin", "iban", "swift"),
        *("bic", "email", "emails", "phone", "phones", "telephone", "msisdn"),
    }
)
"""A name that holds one of these words is sensitive."""

ENDINGS: Final = ("password", "passwd", "passphrase", "secret", "token", "apikey", "authorization", "credentials")
"""A word that ends so is sensitive, for names that are not separated: `dbpassword`, `authtoken`."""

PHRASES: Final = frozenset(
    {
        *(("api", "key"), ("api", "keys"), ("access", "key"), ("private", "key"), ("encryption", "key")),
        *(("signing", "key"), ("master", "key"), ("auth", "key"), ("auth", "header"), ("auth", "code")),
        *(("card", "number"), ("card", "numbers"), ("card", "no"), ("credit", "card"), ("debit", "card")),
        *(("security", "code"), ("security", "number"), ("social", "security"), ("tax", "id"), ("tax", "number")),
        *(("account", "number"), ("account", "no"), ("routing", "number"), ("bank", "account"), ("sort", "code")),
        *(("access", "tokens"), ("refresh", "tokens"), ("auth", "tokens"), ("session", "tokens"), ("api", "tokens")),
        *(("mobile", "number"), ("cell", "number"), ("e", "mail"), ("connection", "string")),
    }
)
"""A name that holds one of these pairs of words, separated or written together, is sensitive."""

ABOUT: Final = frozenset(
    {
        *("count", "counts", "length", "len", "size", "type", "kind", "limit", "limits", "total", "usage", "used"),
        *("max", "min", "status", "state", "result", "decision", "strength", "policy", "attempts", "age", "ttl"),
        *("expires", "expiry", "expiration", "lifetime", "enabled", "required", "verified", "valid", "changed"),
        *("endpoint", "url", "uri", "bucket", "name", "template", "domain", "index", "remaining", "budget"),
        *("method", "scheme", "algorithm", "provider", "issuer", "rate"),
    }
)
"""A name that ends in one of these tells something about a sensitive value, not the value: `token_count`."""

_ABOUT_FIRST: Final = frozenset({"is", "has", "max", "min", "num", "count", "total"})
_TIMES: Final = frozenset({"at", "in", "on", "seconds", "ms"})
_LONGEST: Final = 256


class Keys:
    """The judge of names.

    Args:
        words: words that make a name sensitive wherever they stand in it, in lower case.
        phrases: pairs of words that do, in lower case.
        names: whole names that are sensitive, in lower case.
        exempt: whole names that are not, whatever words they hold, in lower case.
    """

    def __init__(
        self,
        words: frozenset[str] = WORDS,
        phrases: frozenset[tuple[str, str]] = PHRASES,
        names: frozenset[str] = NAMES,
        exempt: frozenset[str] = frozenset(),
    ) -> None:
        self.words: Final = words
        self.phrases: Final = phrases
        self.names: Final = names
        self.exempt: Final = exempt
        self._joined: Final = frozenset("".join(phrase) for phrase in phrases)
        self._cached: Final = lru_cache(maxsize=4096)(self._judge)

    def with_words(self, *words: str) -> "Keys":
        """Return a judge for which these words are sensitive too."""
        return Keys(self.words | {word.lower() for word in words}, self.phrases, self.names, self.exempt)

    def is_sensitive(self, name: str) -> bool:
        """Say whether a name in snake, kebab, camel or dotted case stands for a sensitive value.

        Words are matched whole: `author`, `monkey` and `pinned` are not sensitive, nor is what only tells something
        about such a value, as `token_count` and `password_length` do.
        """
        return self._cached(name) if len(name) <= _LONGEST else self._judge(f"{name[:_LONGEST]} {name[-_LONGEST:]}")

    def _judge(self, name: str) -> bool:
        lowered = name.lower()
        if lowered in self.names or lowered in self.exempt:
            return lowered not in self.exempt
        words = [word.lower() for word in _WORDS.findall(name)]
        if not self._holds_secret(words):
            return False
        return not _tells_about(words)

    def _holds_secret(self, words: list[str]) -> bool:
        return any(
            word in self.words or word in self._joined or word.endswith(ENDINGS) for word in words
        ) or not self.phrases.isdisjoint(_pairs(words))


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return pairwise(words)


def _tells_about(words: list[str]) -> bool:
    last = words[-2] if len(words) > 2 and words[-1] in _TIMES else words[-1]  # noqa: PLR2004 - as in `expires_at`
    return last in ABOUT or (words[0] in _ABOUT_FIRST and len(words) > 1)
