"""Asking a program of the demonstration over HTTP, on the loopback interface."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


class _Standing(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a login by another's page is walked step by step."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return no request to go on with."""


_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Standing)
"""No proxy variable may send a request for this machine elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers in lower case, and the body read as JSON, or None."""

    status: int
    headers: Mapping[str, str]
    body: Any


def send(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None, timeout: float = 10
) -> Answer:
    """Send a request; an answer that tells an error is an answer.

    Args:
        method: of HTTP.
        url: of a program of the demonstration.
        body: sent as JSON, bytes as they are, None not at all.
        headers: win over the content type, which is JSON's.
        timeout: seconds without a sign of life.

    Raises:
        OSError: there was no answer.
    """
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(  # noqa: S310 - the demonstration's own programs
        url, data, {"content-type": "application/json", **(headers or {})}, method=method
    )
    try:
        with _DIRECT.open(asked, timeout=timeout) as answer:
            return _answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def get(url: str, timeout: float = 10) -> Any:
    """Return the JSON at a URL; None if there is no answer, or one that tells an error."""
    try:
        answer = send("GET", url, timeout=timeout)
    except OSError:
        return None
    return answer.body if answer.status < 400 else None  # noqa: PLR2004 - the first status that tells an error


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)
