"""What is sensitive, how far is looked, and the masking that follows from it."""

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from mita_otel.redaction import statements, urls
from mita_otel.redaction.cards import is_card_number
from mita_otel.redaction.clean import Clean
from mita_otel.redaction.cut import cap, cut, length_mark, without_tail
from mita_otel.redaction.encoded import redact_encoded
from mita_otel.redaction.keys import Keys
from mita_otel.redaction.pairs import redact_pairs
from mita_otel.redaction.patterns import PATTERNS, REDACTED, Pattern
from mita_otel.redaction.sieve import Sieve

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_IDENTIFIER_LENGTHS: Final = frozenset({32, 36})
_PLAIN: Final = (float, complex, Decimal, date, time, timedelta, UUID, Enum, type)
_ROUNDS: Final = 4
_CARD_DIGITS: Final = range(13, 20)
_PAIR: Final = 2


class Policy:
    """The definition of sensitive data. Its methods never raise: what cannot be judged is masked.

    Args:
        keys: which names are sensitive; they are judged first.
        patterns: which forms are sensitive, in the order in which they are looked for.
        text_limit: characters of a text that are looked at; nothing beyond them leaves, and a mark says so.
        url_limit: the same for a URL, a path and a query string.
        statement_limit: characters of a statement that are kept: enough to recognise it, too few to fill a trace.
        depth: levels of nesting that are looked into; what is deeper is masked whole.
        values: values of one nested value that are looked at; what is more is masked.
    """

    def __init__(
        self,
        keys: Keys | None = None,
        patterns: tuple[Pattern, ...] = PATTERNS,
        *,
        text_limit: int = 40_960,
        url_limit: int = 8_192,
        statement_limit: int = 2_048,
        depth: int = 8,
        values: int = 10_000,
    ) -> None:
        self.keys: Final = keys or Keys()
        self.patterns: Final = patterns
        self.text_limit: Final = text_limit
        self.url_limit: Final = url_limit
        self.statement_limit: Final = statement_limit
        self.depth: Final = depth
        self.values: Final = values
        self._clean: Final = Clean[str]()
        self._clean_statements: Final = Clean[str]()
        self._clean_attributes: Final = Clean[tuple[str, str]]()
        self._sieve: Final = Sieve(patterns)

    def text(self, text: str) -> str:
        """Return the text with everything masked that is sensitive by its form or by a key before it.

        The time is linear in the length of the text.
        """
        return self._bounded(text, self.text_limit, self._judged)

    def value(self, key: str | None, value: object) -> object:
        """Return a value masked: whole if its key is sensitive, else wherever something sensitive is found in it.

        Mappings and sequences are copied, not changed. Objects that are neither text nor numbers, times or the like
        become their masked text. None, bool and empty texts stay.
        """
        try:
            if type(value) is str and value:  # most are, and need no walk
                return REDACTED if key is not None and self.keys.is_sensitive(key) else self.text(value)
            return _Walk(self).redact(key, value, 0)
        except Exception:  # noqa: BLE001 - as below
            return REDACTED

    def query(self, query: str) -> str:
        """Return a query string with the values of sensitive keys and of sensitive forms masked."""
        return self._bounded(
            query, self.url_limit, lambda given: urls.redact_query(given, self.text, self.keys.is_sensitive)
        )

    def path(self, path: str) -> str:
        """Return a URL's path with each segment masked that holds something sensitive."""
        return self._bounded(path, self.url_limit, lambda given: urls.redact_path(given, self.text))

    def url(self, url: str) -> str:
        """Return a URL without user and password; path, query and fragment masked."""
        return self._bounded(
            url, self.url_limit, lambda given: urls.redact_url(given, self.text, self.keys.is_sensitive)
        )

    def statement(self, sql: str) -> str:
        """Return a statement with literals as `?`, without comments, on one line, cut to its limit."""
        # Eight times as much is looked at, for lists of values become short.
        seen = 8 * self.statement_limit
        try:
            if sql in self._clean_statements:
                return sql
            text = statements.redact_statement(sql[:seen])
            if text == sql:
                self._clean_statements.remember(sql, len(sql))
            return cap(text, self.statement_limit) if len(sql) <= seen else _cut(text, self.statement_limit, len(sql))
        except Exception:  # noqa: BLE001 - as below
            return REDACTED

    def remembers(self, key: str, value: object) -> bool:
        """Say whether a text under a key is known to hold nothing that is masked; of anything else nothing is known."""
        return type(value) is str and (key, value) in self._clean_attributes

    def remember(self, key: str, value: object) -> None:
        """Remember that a value under a key, and the key, hold nothing that is masked."""
        if type(value) is str:
            self._clean_attributes.remember((key, value), len(key) + len(value))

    def _bounded(self, text: str, limit: int, mask: Callable[[str], str]) -> str:
        """Mask a text, cut if it is longer than its limit: the guard at this room's door."""
        try:
            if len(text) <= limit:
                return mask(text)
            return _cut(without_tail(mask(text[:limit])), limit, len(text))
        except Exception:  # noqa: BLE001 - what cannot be judged does not leave
            return REDACTED

    def _judged(self, text: str) -> str:
        if text in self._clean or (len(text) in _IDENTIFIER_LENGTHS and _IDENTIFIER.fullmatch(text) is not None):
            return text
        masked = self._stable(text)
        if masked == text:
            self._clean.remember(text, len(text))
        return masked

    def _stable(self, text: str) -> str:
        """Mask until nothing changes: what was masked may have hidden a boundary of something else."""
        for _ in range(_ROUNDS):
            masked = self._once(text)
            if masked == text:
                return text
            text = masked
        return text

    def _once(self, text: str) -> str:
        text = self._plainly(text)
        if "%" in text or "+" in text:
            text = redact_encoded(text, lambda decoded: self._plainly(decoded) == decoded)
        return text

    def _plainly(self, text: str) -> str:
        if not self._sieve.is_plain(text):
            for pattern in self._sieve.concerned(text):
                text = pattern.mask(text)
        if "=" in text or ":" in text or ">" in text:
            text = redact_pairs(text, self.keys.is_sensitive)
        return text


class _Walk:
    """Goes through one nested value; holds the number of values that may still be looked at."""

    __slots__ = ("_left", "_policy")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._left = policy.values

    def redact(self, key: str | None, value: object, depth: int) -> object:
        self._left -= 1
        if value is None or isinstance(value, bool) or value == "":
            return value
        if self._left < 0 or (key is not None and self._policy.keys.is_sensitive(key)):
            return REDACTED
        if isinstance(value, str):
            return self._policy.text(value)
        if isinstance(value, int):
            return REDACTED if _is_card(value) else value
        return self._other(value, depth)

    def _other(self, value: object, depth: int) -> object:
        if isinstance(value, (bytes, bytearray, memoryview)):
            masked = self._policy.text(bytes(value).decode("latin-1"))
            return masked.encode("latin-1", "replace")
        if isinstance(value, _PLAIN):
            return value
        if not isinstance(value, (Mapping, Sequence, AbstractSet)):
            return self._policy.text(str(value))
        if depth >= self._policy.depth:
            return REDACTED
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        items = [self._item(item, depth + 1) for item in value]
        return tuple(items) if isinstance(value, tuple) else items

    def _item(self, item: object, depth: int) -> object:
        """Redact an item of a list, which may be a name and its value, as headers are."""
        if isinstance(item, (tuple, list)) and len(item) == _PAIR and depth < self._policy.depth:
            masked = [self.redact(None, item[0], depth), self.redact(_name(item[0]), item[1], depth)]
            return tuple(masked) if isinstance(item, tuple) else masked
        return self.redact(None, item, depth)

    def _mapping(self, mapping: Mapping[Any, object], depth: int) -> dict[object, object]:
        masked: dict[object, object] = {}
        for key, item in mapping.items():
            name = unique = self._policy.text(key) if isinstance(key, str) else key
            number = 1
            while unique in masked:
                number += 1
                unique = f"{name}#{number}"
            masked[unique] = self.redact(_name(key), item, depth)
        return masked


def _name(key: object) -> str | None:
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return key if isinstance(key, str) else None


def _is_card(number: int) -> bool:
    return 0 < number < 10**_CARD_DIGITS.stop and len(str(number)) in _CARD_DIGITS and is_card_number(str(number))


def _cut(text: str, limit: int, length: int) -> str:
    return cut(text, limit, length_mark(length))


DEFAULT: Final = Policy()
"""The policy of everything that does not bring its own."""
