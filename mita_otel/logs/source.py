"""Where a line of source is, without the part of the path that is the same for every line."""

import os
import sys
from functools import lru_cache

from mita_otel.import_path import here

_CACHE = 4096
"""Paths remembered: more source files than a large service logs from."""


@lru_cache(maxsize=_CACHE)
def short(path: str) -> str:
    """Return a path relative to the longest entry of `sys.path` that holds it, or the path itself."""
    folders = ((entry or here()).rstrip(os.sep) for entry in sys.path)
    longest = max((folder for folder in folders if folder and path.startswith(folder + os.sep)), key=len, default=None)
    return path if longest is None else path[len(longest) + 1 :]
