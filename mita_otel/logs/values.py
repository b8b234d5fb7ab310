"""Turns values of any type and size into plain ones that JSON and OTLP can carry, within bounds."""

import dataclasses
import datetime as dt
import enum
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final, TypeVar

MAX_DEPTH: Final = 8
"""Containers inside one another; a deeper one becomes a marker."""
MAX_ITEMS: Final = 128
"""Items of one container; the rest is counted in a marker."""
MAX_VALUES: Final = 1024
"""Values of one entry altogether: 128 items on each of 8 levels would be more than memory holds."""
MAX_KEY: Final = 256
"""Characters of a key."""

EMPTY_KEY: Final = "(empty)"

_INT64: Final = range(-(2**63), 2**63)
_Item = TypeVar("_Item")
_TOO_DEEP: Final = "[too deep]"
_CIRCULAR: Final = "[circular]"
_TOO_MANY: Final = "[too many values]"
_MARKER: Final = re.compile(r"[.]{3}\[truncated, ([0-9]+) characters\]\Z")
_LONGEST_MARKER: Final = 48


def text_of(value: object) -> str:
    """Return `str(value)`, or a note when that raises."""
    try:
        return utf8(str(value))
    except Exception as error:  # noqa: BLE001 - any class can be logged, whatever its __str__ does
        return f"<{type(value).__name__}: str() raised {type(error).__name__}>"


def utf8(text: str) -> str:
    """Return text that UTF-8 can encode: lone surrogates are written as escapes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def cut(text: str, limit: int, *, length: int | None = None) -> str:
    """Cut text to `limit` characters, a marker with the full length included.

    Args:
        text: what to cut; if it has been cut before, the length that its marker states is kept.
        limit: characters of the result, at least 64.
        length: the full length to state, if only a part of the text is handed over.
    """
    if len(text) <= limit and length is None:
        return text
    before = _MARKER.search(text[-_LONGEST_MARKER:])
    full = length or (int(before.group(1)) if before else len(text))
    marker = f"...[truncated, {full} characters]"
    return text[: limit - len(marker)] + marker


def cut_middle(text: str, limit: int) -> str:
    """Cut text to `limit` characters from its middle: a stack trace says most at its end."""
    if len(text) <= limit:
        return text
    marker = f"\n...[truncated, {len(text)} characters]...\n"
    tail = (limit - len(marker)) * 3 // 4
    return text[: limit - len(marker) - tail] + marker + text[-tail:]


class Plain:
    """Makes one entry's values plain; holds the budget that they share.

    Args:
        limit: characters of a string.
    """

    __slots__ = ("_left", "_limit", "_path")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = MAX_VALUES
        self._path: set[int] = set()

    def __call__(self, value: object) -> Any:
        """Return None, a bool, an int of 64 bits, a finite float, a str, or a list or dict of these."""
        self._left -= 1
        if self._left < 0:
            return _TOO_MANY
        simple = _simple(value)
        if simple is not None:
            return self._bounded(simple) if isinstance(simple, str) else simple
        if value is None:
            return None
        return self._container(value)

    def _bounded(self, text: str) -> str:
        # Room is left for redaction to see what it cuts through; the pipeline cuts to the exact limit afterwards.
        return utf8(text if len(text) <= 4 * self._limit else cut(text, 4 * self._limit))

    def _container(self, value: object) -> Any:
        if id(value) in self._path or len(self._path) >= MAX_DEPTH:
            return _CIRCULAR if id(value) in self._path else _TOO_DEEP
        self._path.add(id(value))
        try:
            return self._opened(value)
        except Exception as error:  # noqa: BLE001 - a container of the application's may do anything when read
            return f"<{type(value).__name__}: reading it raised {type(error).__name__}>"
        finally:
            self._path.discard(id(value))

    def _opened(self, value: object) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._mapping(_fields(value))
        if isinstance(value, Mapping):
            return self._mapping(value.items())
        if isinstance(value, (list, tuple, AbstractSet)):
            return self._list(value)
        return self._bounded(text_of(value))

    def _mapping(self, items: Iterable[tuple[object, object]]) -> dict[str, Any]:
        iterator = iter(items)
        plain = {key_of(key): self(value) for key, value in self._within(iterator)}
        if next(iterator, None) is not None:
            plain["..."] = _TOO_MANY
        return plain

    def _list(self, items: Iterable[object]) -> list[Any]:
        iterator = iter(items)
        plain = [self(item) for item in self._within(iterator)]
        if next(iterator, self) is not self:
            plain.append(_TOO_MANY)
        return plain

    def _within(self, items: Iterator[_Item]) -> Iterator[_Item]:
        return islice(items, max(0, min(MAX_ITEMS, self._left)))


def key_of(key: object) -> str:
    """Return a mapping's key as text of 1 to 256 characters; an attribute without a name would be dropped."""
    return cut(key if isinstance(key, str) and key.isascii() else text_of(key), MAX_KEY) or EMPTY_KEY


def _fields(value: Any) -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(value):
        yield field.name, getattr(value, field.name, None)


def _simple(value: object) -> str | bool | int | float | None:
    """Return the plain form of a value that holds no others, or None when there is none."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, (bool, int, float)):
        return _number(value)
    return _written(value)


def _number(value: float) -> str | float:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    return value if value in _INT64 else _digits(value)


def _written(value: object) -> str | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {text_of(value)}"
    return None


def _digits(value: int) -> str:
    """Return a large integer as text; Python refuses to print one of more than 4,300 digits."""
    try:
        return str(value)
    except ValueError:
        return f"<int of {value.bit_length()} bits>"
