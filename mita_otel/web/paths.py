"""Which paths are left out of telemetry: anchored matching on the path alone."""

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import Final

REMEMBERED: Final = 1024
"""Paths about which is not asked again, as each request is: few services have more without ids in them."""
LONGEST_REMEMBERED: Final = 256
"""Characters of such a path."""


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

    known: dict[str, bool] = {}

    def excluded(path: str) -> bool:
        verdict = known.get(path)
        if verdict is None:
            verdict = path in exact or (match is not None and match(path) is not None)
            if len(known) < REMEMBERED and len(path) <= LONGEST_REMEMBERED:
                known[path] = verdict
        return verdict

    return excluded
