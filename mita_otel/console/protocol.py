"""uvicorn's HTTP protocol with a bound on what is no body: headers without end would fill the memory."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request that are no body: the request line, headers, trailers."""
_FRAMING: Final = 8
"""Bytes that each byte of a body may take in all, in the smallest chunks."""


class BoundedProtocol(HttpToolsProtocol):
    """Cuts the connection of a request whose head has no end."""

    _left = HEAD_LIMIT

    def on_message_begin(self) -> None:
        """Begin to count anew."""
        self._left = HEAD_LIMIT
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Count what is not head."""
        self._left += _FRAMING * len(body)
        super().on_body(body)

    def data_received(self, data: bytes) -> None:
        """Take in some bytes."""
        super().data_received(data)
        self._left -= len(data)
        if self._left < 0:
            self.transport.close()
