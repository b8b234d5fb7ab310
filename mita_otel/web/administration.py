"""`GET /_mita/doctor`: what the doctor finds in this process, for whoever has the token."""

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Examine: TypeAlias = Callable[[object], bytes]
"""Examines this process and an application that it serves; returns JSON. Blocks for seconds."""

PATH: Final = "/_mita/doctor"

_logger: Final = logging.getLogger("mita_otel.web.administration")


class Administration:
    """Answers in the place of the application; one examination at a time.

    Args:
        token: what `Authorization: Bearer` must hold.
        examine: does the work, in a thread of its own.
    """

    __slots__ = ("_busy", "_examine", "_token")

    def __init__(self, token: str, examine: Examine) -> None:
        self._token = token.encode()
        self._examine = examine
        self._busy = threading.Lock()

    @staticmethod
    def concerns(scope: Scope) -> bool:
        """Say whether a request is ours; costs others one comparison."""
        path: str = scope["path"]
        return path.endswith(PATH) and path == scope.get("root_path", "") + PATH and scope["type"] == "http"

    async def __call__(self, app: object, scope: Scope, send: Send) -> None:
        """Answer one request with the findings, or with the reason why not."""
        if not self._is_authorised(scope):
            wanted = _error("send Authorization: Bearer <MITA_ADMIN_TOKEN>")
            await _answer(send, 401, wanted, (b"www-authenticate", b"Bearer"))
        elif scope["method"] != "GET":
            await _answer(send, 405, _error("only GET is allowed"), (b"allow", b"GET"))
        elif not self._busy.acquire(blocking=False):
            await _answer(send, 429, _error("an examination is under way"), (b"retry-after", b"1"))
        else:
            try:
                body = await asyncio.to_thread(self._examine, app)
            except Exception:
                _logger.exception("the examination failed")
                await _answer(send, 500, _error("the examination failed; the log says why"))
            else:
                await _answer(send, 200, body)
            finally:
                self._busy.release()

    def _is_authorised(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


async def _answer(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()
