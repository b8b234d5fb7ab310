"""The wire format of OTLP, written directly: what spans and log records have in common.

A record (a span, a log record) is encoded once into a piece: its bytes, and the envelope that says whose it is. Pieces
are joined into a payload, in any number and as often as a receiver makes it necessary. Only the joining knows how
records are nested.
"""

from mita_otel.export.wire.envelope import Envelope, Envelopes, Piece, envelope, join
from mita_otel.export.wire.numbers import double, fixed32, fixed64, signed, varint
from mita_otel.export.wire.split import split
from mita_otel.export.wire.values import any_value, attributes, framed, key_value, text

__all__ = [
    "Envelope",
    "Envelopes",
    "Piece",
    "any_value",
    "attributes",
    "double",
    "envelope",
    "fixed32",
    "fixed64",
    "framed",
    "join",
    "key_value",
    "signed",
    "split",
    "text",
    "varint",
]
