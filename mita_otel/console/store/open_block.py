"""The block that is being filled: what its row will say."""

from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from mita_otel.console.store.blocks import BLOOM_BYTES, add, token_of
from mita_otel.console.store.values import value_of
from mita_otel.console.store.wire import Resource

_REMEMBERED_BYTES: Final = 4 * 1024 * 1024
_OVERHEAD: Final = 100
"""Bytes that remembering costs beside the bytes themselves."""


class OpenBlock:
    """Collects the tokens and the time bounds of a block.

    Attributes:
        number: the block's.
        bloom: the filter so far.
        seen: serialized attributes whose tokens are in the filter and whose form is right; not all of them.
        first: lowest time, in microseconds; without content as high as can be.
        last: highest time; without content as low as can be.
        count: rows in the block.
    """

    __slots__ = ("_room", "bloom", "count", "first", "last", "number", "seen")

    def __init__(self, number: int, stored: tuple[int, int, int, bytes] | None = None) -> None:
        """Begin a block, or go on with one of which first, last, count and filter are stored."""
        self.number = number
        self.first, self.last, self.count, bloom = stored or (2**63 - 1, -(2**63), 0, bytes(BLOOM_BYTES))
        self.bloom = bytearray(bloom)
        self.seen: set[bytes] = set()
        self._room = _REMEMBERED_BYTES

    def learn(self, attribute: bytes) -> None:
        """Take in a serialized KeyValue.

        Raises:
            DecodeError: it is none; invalid UTF-8 and values nested too deep are among the reasons.
        """
        pair = KeyValue.FromString(attribute)
        add(self.bloom, token_of(pair.key, value_of(pair.value)))
        self.remember(attribute)

    def learn_resource(self, resource: bytes) -> None:
        """Take in the attributes of a serialized Resource.

        Raises:
            DecodeError: one of them is malformed.
        """
        for attribute in Resource.FromString(resource).attributes:
            if attribute not in self.seen:
                self.learn(attribute)
        self.remember(resource)

    def learn_token(self, token: str) -> None:
        """Take in a token."""
        add(self.bloom, token)

    def learn_anything(self) -> None:
        """Let the filter say that every token may be in the block: cheaper than thousands of tokens, and as useful."""
        self.bloom[:] = b"\xff" * BLOOM_BYTES

    def remember(self, content: bytes) -> None:
        """Note that the tokens of these bytes are in the filter."""
        self._room -= len(content) + _OVERHEAD
        if self._room < 0:
            self.seen.clear()
            self._room = _REMEMBERED_BYTES
        elif len(content) <= 4096:  # noqa: PLR2004 - longer ones are hardly ever repeated
            self.seen.add(content)
