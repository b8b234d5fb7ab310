"""Who may talk to the console: the Host check, the token, and the headers that bind the page.

The console listens on loopback, where the danger is a page in the developer's browser that talks to it: by DNS
rebinding, which the Host check stops, or across origins, which the Origin check stops for what changes something, and
the browser itself for what is read. On other interfaces a token is needed.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mita_otel.console.options import is_loopback

COOKIE: Final = "mita_otel_console"
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:@/\[\]]+))(?::[0-9]*)?")
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """Decides who is let in.

    Attributes:
        token: what must be shown; None lets everybody in who reaches the port.
    """

    def __init__(self, token: str | None) -> None:
        self.token = token
        # Cookies are seen by all servers of the host, whatever their port: it must not be the token itself.
        secret = secrets.token_bytes(32)
        self.cookie = hmac.new(secret, (token or "").encode(), hashlib.sha256).hexdigest()

    def allows(self, authorization: str) -> bool:
        """Return whether the value of an Authorization header lets its sender in; "" stands for none."""
        if self.token is None:
            return True
        scheme, _, credentials = authorization.partition(" ")
        return scheme.lower() == "bearer" and self.knows(credentials.strip())

    def knows(self, token: str) -> bool:
        """Return whether this is the token."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def knows_cookie(self, header: str) -> bool:
        """Return whether the value of a Cookie header has the console's."""
        try:
            found = SimpleCookie(header).get(COOKIE)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.cookie.encode())


class Guard:
    """Middleware that refuses strangers, and adds the headers that a browser heeds."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Sequence[str] | None) -> None:
        """Wrap an application; `hosts` are the names it is known by, None for any."""
        self._app = app
        self._access = access
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on what is allowed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        # What is stored changes; the page's own files may be kept as long as the server is asked whether they changed.
        caching = "no-store" if scope["path"].startswith(("/api/", "/v1/")) else "no-cache"
        await (refusal or self._app)(scope, receive, _with_headers(send, _HEADERS | {"cache-control": caching}))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _name_of(host) not in self._hosts:
            return _error(403, f"Host {host[:200]!r} is not this console: use http://localhost or its address")
        origin = headers.get("origin")
        if scope["method"] not in _READING and origin not in {None, f"http://{host}", f"https://{host}"}:
            return _error(403, f"Origin {str(origin)[:200]!r} is not this console")
        if self._access.token is None or self._is_known(headers):
            return None
        return self._let_in(scope) or _error(
            401, "send the console's token as `Authorization: Bearer <token>`, or open the page with ?token=<token>"
        )

    def _is_known(self, headers: Headers) -> bool:
        return self._access.allows(headers.get("authorization", "")) or any(
            self._access.knows_cookie(value) for value in headers.getlist("cookie")
        )

    def _let_in(self, scope: Scope) -> Response | None:
        """Exchange the token of a link to the page for a cookie, and take it out of the address."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] != "GET" or not any(key == "token" and self._access.knows(value) for key, value in pairs):
            return None
        rest = urlencode([pair for pair in pairs if pair[0] != "token"])
        path = "/" + scope["path"].lstrip("/")  # `//elsewhere` would lead to another host
        response = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        response.set_cookie(COOKIE, self._access.cookie, httponly=True, samesite="strict")
        return response


def hosts_for(host: str) -> tuple[str, ...] | None:
    """Return the names under which a console that listens on `host` is asked; None for any, where a token protects."""
    return ("localhost", "127.0.0.1", "::1", host.lower()) if is_loopback(host) else None


def _name_of(host: str) -> str:
    """Return the name in a Host header, without port and brackets; "" if there is more or less in it."""
    found = _HOST.fullmatch(host.lower())
    return (found["address"] or found["name"]) if found else ""


def _error(status: int, message: str) -> Response:
    headers = {"www-authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004 - unauthorized
    return JSONResponse({"code": status, "message": message}, status, headers)


def _with_headers(send: Send, added: Mapping[str, str]) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in added.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
