"""Where a line of source is, without the part of the path that is the same for every line."""

import os
import sys
from functools import lru_cache

_CACHE = 4096
"""Paths remembered: more source files than a large service logs from."""


@lru_cache(maxsize=_CACHE)
def short(path: str) -> str:
    """Return a path relative to the longest entry of `sys.path` that holds it, or the path itself."""
    holders = (entry for entry in sys.path if entry and path.startswith(entry.rstrip(os.sep) + os.sep))
    longest = max(holders, key=len, default=None)
    return path if longest is None else path[len(longest.rstrip(os.sep)) + 1 :]
