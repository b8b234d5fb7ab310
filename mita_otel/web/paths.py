"""Which paths are left out of telemetry: anchored matching on the path alone."""

import fnmatch
import re
from collections.abc import Callable, Iterable


def excluding(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate that says whether a path is excluded.

    A pattern covers the whole path; `*` stands for any characters. Host, scheme and query are never looked at, so that
    no caller can hide a request by what it sends.
    """
    exact = frozenset(pattern for pattern in patterns if "*" not in pattern)
    wild = [
        fnmatch.translate(pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns if "*" in pattern
    ]
    match = re.compile("|".join(wild)).match if wild else None

    def excluded(path: str) -> bool:
        return path in exact or (match is not None and match(path) is not None)

    return excluded
