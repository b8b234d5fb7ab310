"""`GET /slo/status`: how the service's objectives stand. Source: observability report, sections 6.1 #2 and 7.4.

    app.add_middleware(SloEndpoint)

Anybody may ask: it tells shares and sums, no names of users, hosts or routes. Answers are made of what is in memory, at
most once a second; nobody is asked meanwhile.
"""

import json
import logging
from typing import Final

from mita_otel import slo
from mita_otel.web.asgi import Application, Receive, Scope, Send

PATH: Final = "/slo/status"
_ALLOWED: Final = "GET, HEAD"
_logger: Final = logging.getLogger("mita_otel.web")


class SloEndpoint:
    """Answers `GET /slo/status` in the place of the application, where the process has objectives."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request about objectives; pass everything else on."""
        objectives = slo.current() if scope["type"] == "http" and _path(scope) == PATH else None
        if objectives is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, b'{"error": "only GET and HEAD are allowed"}', [(b"allow", _ALLOWED.encode())])
            return
        try:
            body = json.dumps(objectives.report(), allow_nan=False).encode()
        except Exception:
            _logger.exception("objectives could not be judged")
            await _answer(send, 503, b'{"error": "objectives cannot be judged"}', [])
            return
        await _answer(send, 200, body, [], is_told=scope["method"] == "GET")


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


async def _answer(
    send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]], *, is_told: bool = True
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body if is_told else b""})
