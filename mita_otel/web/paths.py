"""Which paths are left out of telemetry: anchored matching on the path alone."""

import fnmatch
import re
from collections.abc import Callable, Iterable


def excluding(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate that says whether a path is excluded.

    A pattern covers the whole path; `*` stands for any characters. Host, scheme and query are never looked at, so that
    no caller can hide a request by what it sends.
    """
    given = tuple(patterns)
    exact = frozenset(pattern for pattern in given if "*" not in pattern)
    # Most patterns are such, and each request is asked about: to match takes four times as long.
    beginnings = tuple(pattern[:-1] for pattern in given if pattern.find("*") == len(pattern) - 1)
    others = [
        fnmatch.translate(pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in given if "*" in pattern[:-1]
    ]
    match = re.compile("|".join(others)).match if others else None

    def excluded(path: str) -> bool:
        return path in exact or path.startswith(beginnings) or (match is not None and match(path) is not None)

    return excluded
