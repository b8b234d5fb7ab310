"""Texts, values and attributes: `AnyValue` and `KeyValue` of OTLP.

Source: opentelemetry/proto/common/v1/common.proto; the order of the types is that of the official encoder.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from mita_otel.export.wire.numbers import double, signed, varint

_NAMES_LIMIT: Final = 1024
_LONGEST_NAME: Final = 128
_names: Final[dict[str, bytes]] = {}
"""Names of attributes as fields: they come from the code, and are few; 300 kB at most."""

_TRUE: Final = b"\x10\x01"
_FALSE: Final = b"\x10\x00"


def framed(content: bytes) -> bytes:
    """Return what a field of variable length holds: the length, then the content. The caller writes the tag."""
    return varint(len(content)) + content


def text(value: str) -> bytes:
    """Return a text with its length before it.

    Raises:
        UnicodeEncodeError: it holds half of a surrogate pair, which is no text.
    """
    content = value.encode()
    return varint(len(content)) + content


def any_value(value: Any) -> bytes:
    """Return an attribute's value as the content of an `AnyValue`; None is an empty one.

    Raises:
        ValueError: a text is no text, or a number does not fit into 64 bits.
        TypeError: a type that OTLP does not know.
        RecursionError: the value is nested too deeply, or contains itself.
    """
    encoder = _OF_TYPE.get(type(value))
    return encoder(value) if encoder is not None else _of_subclass(value)


def key_value(key: str, value: Any) -> bytes:
    """Return an attribute as a `KeyValue` with its length before it. Raises as `any_value`."""
    if type(value) is str:  # most are, and two calls less are a third of the time
        text_content = value.encode()
        content = b"\x0a" + varint(len(text_content)) + text_content
    else:
        content = any_value(value)
    pair = (_names.get(key) or _name(key)) + varint(len(content)) + content
    return varint(len(pair)) + pair


def _name(key: str) -> bytes:
    """Return the name of an attribute as a field, and the tag of its value."""
    name = key.encode()
    field = (b"\x0a" + varint(len(name)) + name if name else b"") + b"\x12"
    if len(_names) >= _NAMES_LIMIT:
        _names.clear()
    if len(name) <= _LONGEST_NAME:
        _names[key] = field
    return field


def attributes(tag: bytes, items: Iterable[tuple[str, Any]]) -> tuple[list[bytes], int]:
    """Return each attribute as a field of the given tag, and the number of those that OTLP has no form for.

    The official encoder logs a traceback for each of those and forgets them; here the caller adds them to the record's
    `dropped_attributes_count`.
    """
    fields: list[bytes] = []
    lost = 0
    for key, value in items:
        try:
            fields.append(tag + key_value(key, value))
        except (ValueError, TypeError, RecursionError):
            lost += 1
    return fields, lost


def _boolean(value: bool) -> bytes:  # noqa: FBT001 - one of the encoders by type
    return _TRUE if value else _FALSE


def _string(value: str) -> bytes:
    return b"\x0a" + text(value)


def _integer(value: int) -> bytes:
    return b"\x18" + signed(value)


def _floating(value: float) -> bytes:
    return b"\x21" + double(value)


def _binary(value: bytes) -> bytes:
    return b"\x3a" + framed(value)


def _array(values: Sequence[Any]) -> bytes:
    return b"\x2a" + framed(b"".join(b"\x0a" + framed(any_value(value)) for value in values))


def _mapping(values: Mapping[Any, Any]) -> bytes:
    return b"\x32" + framed(b"".join(b"\x0a" + key_value(str(key), value) for key, value in values.items()))


_OF_TYPE: Final[dict[type, Callable[[Any], bytes]]] = {
    type(None): lambda _: b"",
    bool: _boolean,
    str: _string,
    int: _integer,
    float: _floating,
    bytes: _binary,
    tuple: _array,
    list: _array,
    dict: _mapping,
}


def _of_subclass(value: Any) -> bytes:
    for kind in (str, int, float, bytes):
        if isinstance(value, kind):
            return _OF_TYPE[kind](value)
    if isinstance(value, Sequence):
        return _array(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    raise TypeError(f"{type(value).__name__} has no form in OTLP")
