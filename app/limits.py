"""How much a request may carry: counted while it arrives, before anything is read from it."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import ApiError
from mita_otel.web.problems import response_to

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes of an uploaded receipt: a photograph of a telephone."""

LARGEST_UPLOAD = LARGEST_FILE + 64 * 1024
"""Bytes of a request with a file: the file, and what a form adds to it."""

LARGEST_BODY = 1024 * 1024
"""Bytes of any other request: a hundred transactions with every character escaped are half of that."""


class BodyLimit:
    """Answers 413 to a request that carries more than its path allows."""

    def __init__(self, app: ASGIApp, paths: Mapping[str, int], default: int = LARGEST_BODY) -> None:
        """Take the limits in bytes by path, and the one of all other paths."""
        self._app = app
        self._paths = paths
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request whose body is counted as it is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._paths.get(scope["path"], self._default)
        if _declared(scope) > limit:
            refusal = ApiError(413, "BODY_TOO_LARGE", f"at most {limit} bytes are taken")
            await response_to(scope, refusal)(scope, receive, send)
            return
        left = limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"at most {limit} bytes are taken")
            return message

        await self._app(scope, counted, send)


def _declared(scope: Scope) -> int:
    """Return what the request says about its length; 0 if it says nothing, or no number."""
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(text) if text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - digits of more than any memory
