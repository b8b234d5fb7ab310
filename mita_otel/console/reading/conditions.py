"""Conditions on attributes: what the filter of a block, a row and a decoded message must have to meet one.

An attribute is searched for by its key and its value as text, see `blocks.value_text`: `500` finds the integer, the
string and the double. Only messages whose bytes contain the key and one of the value's encodings are decoded.
"""

import re
import sqlite3
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Final

import orjson
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from mita_otel.console.store.blocks import token_of, value_text
from mita_otel.console.store.values import value_of

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_BOOLEANS: Final = {"true": b"\x10\x01", "false": b"\x10\x00"}
# The tags of AnyValue's fields int_value and double_value.
_INT_TAG: Final = b"\x18"
_DOUBLE_TAG: Final = b"\x21"


@dataclass(frozen=True, slots=True)
class Condition:
    """An attribute that must be there, with a value."""

    key: str
    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The value's texts that count: a whole number is also meant as a double."""
        number = _int64(self.text)
        return (self.text,) if number is None else (self.text, repr(float(number)))

    @property
    def tokens(self) -> tuple[str, ...]:
        """Tokens of which the filter of a block must have one."""
        return tuple(token_of(self.key, text) for text in self.texts)

    def is_met_by(self, pairs: Iterable[KeyValue]) -> bool:
        """Return whether one of the attributes has the key and the value."""
        texts = self.texts
        return any(pair.key == self.key and value_text(value_of(pair.value)) in texts for pair in pairs)

    def encodings(self) -> tuple[bytes, ...]:
        """Return byte strings of which a serialized attribute has one, or none at all if that cannot be told."""
        if self.text == "" or self.text[0] in "[{" or self.text == "nan":
            return ()
        found = [text.encode("utf-8", "surrogatepass") for text in self.texts]
        found += [_BOOLEANS[self.text]] if self.text in _BOOLEANS else []
        number = _int64(self.text)
        found += [] if number is None else [_INT_TAG + _varint(number)]
        found += [_DOUBLE_TAG + struct.pack("<d", float(text)) for text in self.texts if _is_double(text)]
        found += [bytes.fromhex(self.text)] if _HEX.fullmatch(self.text) else []
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Origins:
    """Resources and scopes that meet a condition, so that everything they sent does."""

    resources: frozenset[int]
    scopes: frozenset[int]


def origins_with(connection: sqlite3.Connection, condition: Condition) -> Origins:
    """Find the resources and the scopes that have an attribute."""
    return Origins(
        _bodies_with(connection, "resources", Resource, condition),
        _bodies_with(connection, "scopes", InstrumentationScope, condition),
    )


def _bodies_with(
    connection: sqlite3.Connection, table: str, kind: type[Resource | InstrumentationScope], condition: Condition
) -> frozenset[int]:
    test, parameters = _containing("body", condition)
    rows = connection.execute(f"SELECT id, body FROM {table} WHERE {test}", parameters)  # noqa: S608 - our own names
    return frozenset(number for number, body in rows if condition.is_met_by(kind.FromString(body).attributes))


def sql_for(condition: Condition, origins: Origins) -> tuple[str, list[bytes | str]]:
    """Return an expression that is true for rows `r` with bodies `b` that may meet a condition, and its parameters."""
    test, parameters = _containing("b.body", condition)
    for column, ids in (("resource", origins.resources), ("scope", origins.scopes)):
        if ids:
            test += f" OR r.{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
            parameters.append(orjson.dumps(sorted(ids)).decode())
    return f"({test})", parameters


def _containing(column: str, condition: Condition) -> tuple[str, list[bytes | str]]:
    encodings = condition.encodings()
    parameters: list[bytes | str] = [condition.key.encode("utf-8", "surrogatepass"), *encodings]
    test = f"instr({column}, ?) > 0"
    if encodings:
        test += " AND (" + " OR ".join([f"instr({column}, ?) > 0"] * len(encodings)) + ")"
    return f"({test})", parameters


def _int64(text: str) -> int | None:
    if not _INTEGER.fullmatch(text) or text == "-0":
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _is_double(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return repr(number) == text and (isfinite(number) or text in {"inf", "-inf"})


def _varint(number: int) -> bytes:
    rest = number & (2**64 - 1)
    encoded = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)
