"""`GET /slo/status`: how the service's objectives stand. Source: observability report, sections 6.1 #2 and 7.4.

    app.add_middleware(SloEndpoint)

Anybody may ask: it tells shares and sums, no names of users, hosts or routes. Answers are made of what is in memory, at
most once a second; nobody is asked meanwhile. `GET /slo/explain`, which says who spent the budgets, names routes,
errors and hosts: it is there for those who have `MITA_ADMIN_TOKEN`.
"""

import asyncio
import hmac
import json
import logging
import threading
from typing import Final
from urllib.parse import parse_qs

from mita_otel import slo
from mita_otel.settings import Settings, environment
from mita_otel.web.asgi import Application, Receive, Scope, Send

PATH: Final = "/slo/status"
EXPLAIN: Final = "/slo/explain"
_ALLOWED: Final = "GET, HEAD"
_logger: Final = logging.getLogger("mita_otel.web")


class SloEndpoint:
    """Answers `GET /slo/status` and `GET /slo/explain` in the place of the application, where it has objectives.

    Args:
        app: the application.
        settings: by default what the environment says.
    """

    def __init__(self, app: Application, settings: Settings | None = None) -> None:
        self._app = app
        token = (settings or Settings.read_leniently(environment())[0]).admin_token
        self._token = None if token is None else token.get_secret_value().encode()
        self._busy = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request about objectives; pass everything else on."""
        path = _path(scope) if scope["type"] == "http" else ""
        is_ours = path == PATH or (path == EXPLAIN and self._token is not None)
        objectives = slo.current() if is_ours else None
        if objectives is None:
            await self._app(scope, receive, send)
        elif path == EXPLAIN and not self._is_authorised(scope):
            error = _error("send Authorization: Bearer <MITA_ADMIN_TOKEN>")
            await _answer(send, 401, error, [(b"www-authenticate", b"Bearer")])
        elif scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, _error("only GET and HEAD are allowed"), [(b"allow", _ALLOWED.encode())])
        else:
            status, body = await self._explained(objectives, scope) if path == EXPLAIN else _told(objectives)
            await _answer(send, status, body, [], is_told=scope["method"] == "GET")

    async def _explained(self, objectives: slo.Objectives, scope: Scope) -> tuple[int, bytes]:
        """Return who spent the budgets; Prometheus may be asked, so a thread does it, one at a time."""
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        name, window = (asked.get(key, [None])[0] for key in ("slo", "window"))
        if not self._busy.acquire(blocking=False):
            return 429, _error("somebody else is asking; ask again")
        try:
            told = await asyncio.to_thread(objectives.explain, name, window)
            return 200, json.dumps(told, allow_nan=False).encode()
        except LookupError as error:
            return 404, _error(str(error.args[0] if error.args else error))
        except ValueError as error:
            return 400, _error(str(error))
        except Exception:
            _logger.exception("budgets could not be explained")
            return 503, _error("budgets cannot be explained; the log says why")
        finally:
            self._busy.release()

    def _is_authorised(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token or b"")


def _told(objectives: slo.Objectives) -> tuple[int, bytes]:
    try:
        return 200, json.dumps(objectives.report(), allow_nan=False).encode()
    except Exception:
        _logger.exception("objectives could not be judged")
        return 503, _error("objectives cannot be judged")


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


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
