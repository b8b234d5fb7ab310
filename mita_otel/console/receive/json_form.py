"""OTLP's JSON form: that of protobuf, but with hexadecimal trace and span ids.

Source: OTLP specification, JSON Protobuf Encoding.
"""

import binascii
from base64 import b64encode
from typing import Any, Final

import orjson
from google.protobuf import json_format  # type: ignore[import-untyped] # no types are shipped
from google.protobuf.message import Message  # type: ignore[import-untyped] # no types are shipped

from mita_otel.console.receive.body import RefusedError

_IDS: Final = frozenset(
    {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"},
)


def read(document: bytes, message: Message) -> None:
    """Fill a message from a JSON document; unknown fields are passed over, enums may be numbers or names.

    Raises:
        RefusedError: 400, the document is no JSON, or does not fit the message; it says where.
    """
    try:
        content = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise RefusedError(400, "the body is not a JSON object")
    _encode_ids(content)
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise RefusedError(400, f"the JSON does not fit {message.DESCRIPTOR.full_name}: {error}") from error


def _encode_ids(content: dict[str, Any]) -> None:
    """Write ids as protobuf's JSON form has bytes, base64; without recursion, for documents may be nested deep."""
    todo: list[Any] = [content]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo.extend(part)
        elif isinstance(part, dict):
            for key, value in part.items():
                if key in _IDS and isinstance(value, str):
                    part[key] = _base64(key, value)
                elif isinstance(value, dict | list):
                    todo.append(value)


def _base64(key: str, text: str) -> str:
    try:
        return b64encode(binascii.unhexlify(text)).decode()
    except ValueError as error:
        raise RefusedError(400, f"{key} {text[:64]!r} is not hexadecimal") from error
