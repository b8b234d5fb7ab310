"""Asks a component by HTTP whether it serves."""

import http.client
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_POLL: Final = 0.05
"""Seconds between two questions: components are ready after 0.1 to 0.8 s."""
_SERVER_ERROR: Final = 500
"""A component that is not ready yet says 503; one that serves may not like a GET, or want a token: 405, 401."""


def answers(url: str, timeout: float = 1.0) -> bool:
    """Say whether a GET of the URL is answered within `timeout` seconds, and not by a server's error.

    Not `urllib`, which would send the question for a loopback address to a configured proxy.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status < _SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_ready(url: str, deadline: float, is_alive: Callable[[], bool]) -> bool:
    """Wait until the URL answers; give up at the deadline (of `time.monotonic`) or when the process has died."""
    while not answers(url):
        if time.monotonic() > deadline or not is_alive():
            return False
        time.sleep(_POLL)
    return True
