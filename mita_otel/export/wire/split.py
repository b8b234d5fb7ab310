"""A payload taken apart again: what was joined once can be halved, or joined with others."""

from collections.abc import Iterator
from typing import Final

from mita_otel.export.wire.envelope import RECORD, Envelope, Piece
from mita_otel.export.wire.values import framed

_NESTED: Final = 2
"""The number of the field that holds the next level: scopes in a resource, records in a scope."""


def split(payload: bytes) -> list[Piece]:
    """Return the pieces of an export request of spans or log records, in their order.

    Raises:
        ValueError: it is none.
    """
    return [piece for _, _, of_resource in _fields(payload) for piece in _of_resource(of_resource)]


def _of_resource(content: bytes) -> Iterator[Piece]:
    resource, scopes = _divided(content)
    for of_scope in scopes:
        scope, records = _divided(of_scope)
        envelope = Envelope(resource, scope)
        for record in records:
            yield envelope, RECORD + framed(record)


def _divided(content: bytes) -> tuple[bytes, list[bytes]]:
    """Return the fields of a level but for the next one as they are, and the contents of the next one."""
    nested: list[bytes] = []
    own: list[bytes] = []
    for number, field, value in _fields(content):
        if number == _NESTED:
            nested.append(value)
        else:
            own.append(field)
    return b"".join(own), nested


def _fields(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield number, whole field and, for one of variable length, its content."""
    position = 0
    while position < len(content):
        start = position
        tag, position = _number(content, position)
        value = b""
        match tag & 7:
            case 0:
                _, position = _number(content, position)
            case 1:
                position += 8
            case 2:
                length, position = _number(content, position)
                value = content[position : position + length]
                position += length
            case 5:
                position += 4
            case _:
                raise ValueError("not a message in the wire format")
        if position > len(content):
            raise ValueError("the message was cut")
        yield tag >> 3, content[start:position], value


def _number(content: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(content):
            raise ValueError("the message was cut")
        group = content[position]
        position += 1
        number |= (group & 0x7F) << shift
        if not group & 0x80:
            return number, position
        shift += 7
