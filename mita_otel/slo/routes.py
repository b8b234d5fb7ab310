"""Which requests an objective is about: patterns of route templates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from mita_otel.metrics.catalogue.http import METHODS

EVERYTHING: Final = "*"

_PATTERN: Final = re.compile(r"(?:(?P<method>[A-Z]+) )?(?P<path>\*|/[^\s*]*)(?P<below>(?<=/)\*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """A pattern of route templates.

    `/api/goals` is that template, `/api/goals/*` that one and all below it, `*` every one; a method before it leaves
    out the others.

    Attributes:
        path: a template, or what templates begin with; empty for all.
        method: None for any.
        below: whether templates below the path match, too.
    """

    path: str
    method: str | None = None
    below: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the pattern of a text.

        Raises:
            ValueError: it is none.
        """
        match = _PATTERN.fullmatch(text)
        if match is None or (match["method"] is not None and match["method"] not in METHODS):
            raise ValueError(f"{text!r} is no route: write '*', '/path', '/path/*' or 'METHOD /path'")
        if match["path"] == EVERYTHING:
            return cls("", match["method"], below=True)
        below = match["below"] is not None
        return cls(match["path"].rstrip("/") if below else match["path"], match["method"], below)

    @property
    def is_everything(self) -> bool:
        """Whether every request matches."""
        return not self.path and self.below and self.method is None

    def matches(self, method: str, template: str) -> bool:
        """Return whether a request of a method to a route belongs to it."""
        return self.method in {None, method} and self._holds(template)

    def covers(self, other: Self) -> bool:
        """Return whether every request that matches the other matches this one, too."""
        return self.method in {None, other.method} and self._holds(other.path) and (self.below or not other.below)

    def overlaps(self, other: Self) -> bool:
        """Return whether a request may match both."""
        methods = self.method is None or other.method is None or self.method == other.method
        return methods and (self._holds(other.path) or other._holds(self.path))

    def _holds(self, path: str) -> bool:
        return path == self.path or (self.below and (path.startswith(f"{self.path}/") or not self.path))

    def __str__(self) -> str:
        """Return it as it is written."""
        path = f"{self.path}/*" if self.path and self.below else self.path or EVERYTHING
        return path if self.method is None else f"{self.method} {path}"


@dataclass(frozen=True, slots=True)
class Routes:
    """The requests that match one of some patterns and none of others."""

    included: tuple[Route, ...]
    excepted: tuple[Route, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether they are all requests of the service."""
        return any(route.is_everything for route in self.included)

    def match(self, method: str, template: str) -> bool:
        """Return whether a request of a method to a route belongs to them."""
        return _any(self.included, method, template) and not _any(self.excepted, method, template)

    def shared_with(self, other: Self) -> tuple[Route, Route] | None:
        """Return the first two patterns that a request may match both of, exceptions considered."""
        for mine in self.included:
            for theirs in other.included:
                if mine.overlaps(theirs) and not self._excludes(theirs) and not other._excludes(mine):
                    return mine, theirs
        return None

    def _excludes(self, route: Route) -> bool:
        return any(excepted.covers(route) for excepted in self.excepted)


def _any(routes: Sequence[Route], method: str, template: str) -> bool:
    return any(route.matches(method, template) for route in routes)
