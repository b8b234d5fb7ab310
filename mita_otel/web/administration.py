"""`GET /_mita/...`: what a process tells of itself to whoever has the token."""

import asyncio
import hmac
import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mita_otel.settings import DOCTOR_PATH
from mita_otel.web.asgi import Scope, Send

# What the pages tell of is imported as they are asked for: a service that uses none of it starts 10 ms sooner, and is
# 1 MB smaller.
# ruff: noqa: PLC0415

Examine: TypeAlias = Callable[[object], bytes]
"""Examines this process and an application that it serves; returns JSON. Blocks for seconds."""

PATH: Final = DOCTOR_PATH
"""What the doctor finds."""


def _performance(_: object) -> bytes:
    from mita_otel.errors.performance import PERFORMANCE

    return PERFORMANCE.report()


def _ratelimit(_: object) -> bytes:
    from mita_otel import ratelimit

    return ratelimit.report()


def _retries(_: object) -> bytes:
    from mita_otel import retries

    return retries.report()


PAGES: Final[Mapping[str, Examine]] = {
    "/_mita/performance": _performance,
    "/_mita/ratelimit": _ratelimit,
    "/_mita/retries": _retries,
}
"""What else there is, by its path."""

_BEGINNING: Final = "/_mita/"

_logger: Final = logging.getLogger("mita_otel.web.administration")


class Administration:
    """Answers in the place of the application; one examination at a time.

    Args:
        token: what `Authorization: Bearer` must hold.
        examine: the doctor; works in a thread of its own, as do the other pages.
    """

    __slots__ = ("_busy", "_pages", "_token")

    def __init__(self, token: str, examine: Examine) -> None:
        self._token = token.encode()
        self._pages = {**PAGES, PATH: examine}
        self._busy = threading.Lock()

    def concerns(self, scope: Scope) -> bool:
        """Say whether a request is ours; costs others one search."""
        if _BEGINNING not in scope["path"] or scope["type"] != "http":
            return False
        from mita_otel.web import breakers

        page = _page(scope)
        return page in self._pages or breakers.concerns(page)

    async def __call__(self, app: object, scope: Scope, send: Send) -> None:
        """Answer one request with the findings, or with the reason why not."""
        from mita_otel.web import breakers

        if not self._is_authorised(scope):
            wanted = _error("send Authorization: Bearer <MITA_ADMIN_TOKEN>")
            await _answer(send, 401, wanted, (b"www-authenticate", b"Bearer"))
        elif breakers.concerns(page := _page(scope)):
            found = breakers.answer(scope["method"], page.removeprefix(breakers.PATH))
            allowed = [(b"allow", found.allowed.encode())] if found.allowed else []
            await _answer(send, found.status, found.body, *allowed)
        elif scope["method"] != "GET":
            await _answer(send, 405, _error("only GET is allowed"), (b"allow", b"GET"))
        elif not self._busy.acquire(blocking=False):
            await _answer(send, 429, _error("an examination is under way"), (b"retry-after", b"1"))
        else:
            try:
                body = await asyncio.to_thread(self._pages[_page(scope)], app)
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


def _page(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if path.startswith(root) else ""


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
