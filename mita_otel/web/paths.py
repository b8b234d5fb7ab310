"""Which paths are left out of telemetry: anchored matching on the path alone."""

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import Final

REMEMBERED: Final = 1024
"""Paths about which is not asked again, as each request is: few services have more without ids in them."""
LONGEST_REMEMBERED: Final = 256
"""Characters of such a path."""


class Excluded:
    """Says whether a path is excluded.

    A pattern covers the whole path; `*` stands for any characters. Host, scheme and query are never looked at, so that
    no caller can hide a request by what it sends.

    Args:
        patterns: of paths that are.

    Attributes:
        known: returns what was said of a path, or None; the mapping's own method, without a call around it.
    """

    __slots__ = ("_exact", "_match", "_verdicts", "known")

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        wild = [
            fnmatch.translate(pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns if "*" in pattern
        ]
        self._exact = frozenset(pattern for pattern in patterns if "*" not in pattern)
        self._match = re.compile("|".join(wild)).match if wild else None
        self._verdicts: dict[str, bool] = {}
        self.known: Final[Callable[[str], bool | None]] = self._verdicts.get

    def __call__(self, path: str) -> bool:
        """Return whether a path is excluded."""
        verdict = self.known(path)
        if verdict is None:
            verdict = path in self._exact or (self._match is not None and self._match(path) is not None)
            if len(self._verdicts) < REMEMBERED and len(path) <= LONGEST_REMEMBERED:
                self._verdicts[path] = verdict
        return verdict
