"""Bodies of requests: their bounds, and gzip without bombs."""

import zlib
from typing import Final

LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a request after decompression."""

_ANY_GZIP: Final = 31
"""`wbits` of zlib for a gzip header and the largest window."""


class RefusedError(Exception):
    """A request cannot be taken; `status` is the HTTP status, the message says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def gunzip(packed: bytes, limit: int = LIMIT) -> bytes:
    """Return the content of gzip members, one or more of them.

    Raises:
        RefusedError: 413, more than `limit` bytes would come out; 400, it is not gzip, or its end is missing.
    """
    content = b""
    while packed:
        unpacker = zlib.decompressobj(_ANY_GZIP)
        try:
            content += unpacker.decompress(packed, limit - len(content) + 1)
        except zlib.error as error:
            raise RefusedError(400, f"the body is not gzip: {error}") from error
        if len(content) > limit:
            raise RefusedError(413, f"the body has more than {limit} bytes after decompression: send smaller batches")
        if not unpacker.eof:
            raise RefusedError(400, "the body ends within its gzip stream")
        packed = unpacker.unused_data
    return content


class Budget:
    """Counts the bytes of requests that are not answered yet; for one thread."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self, count: int) -> bool:
        """Take so many bytes, and return True, if they are free."""
        if count > self._free:
            return False
        self._free -= count
        return True

    def give(self, count: int) -> None:
        """Give bytes back."""
        self._free += count
