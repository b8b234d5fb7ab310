"""Which policies a request meets: by its method and path, before it is routed, without a regular expression."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_REST: Final = "*"


class Route(NamedTuple):
    """A route in parts.

    Attributes:
        method: None for every one. HEAD is GET, and so is the handshake of a WebSocket.
        segments: between the slashes; None stands for a parameter, any one segment.
        is_prefix: whether everything below belongs to it too.
    """

    method: str | None
    segments: tuple[str | None, ...]
    is_prefix: bool


def parsed(text: str) -> Route:
    """Return the parts of a route such as `POST /api/login`, `/api/things/{thing}` or `/api/*`.

    Raises:
        ValueError: it is none.
    """
    method, _, path = text.rpartition(" ")
    if not path.startswith("/") or (method and method not in _METHODS):
        raise ValueError(f"routes such as 'POST /api/login', '/api/things/{{thing}}' or '/api/*', not {text!r}")
    *rest, last = path[1:].split("/")
    is_prefix = last == _REST
    segments = [*rest, *([] if is_prefix else [last])]
    if any(_REST in segment for segment in segments):
        raise ValueError(f"'*' as the last segment only, not as in {text!r}")
    return Route(method or None, tuple(None if _is_parameter(each) else each for each in segments), is_prefix)


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


class Routes(Generic[T]):
    """Finds what is filed under the routes that a request matches.

    Args:
        filed: values and their routes; several may match.
    """

    __slots__ = ("_exact", "_shaped")

    def __init__(self, filed: Iterable[tuple[T, Iterable[Route]]]) -> None:
        self._exact: dict[str, list[tuple[str | None, T]]] = {}
        self._shaped: list[tuple[str, Route, T]] = []
        for value, routes in filed:
            for route in routes:
                self._add(route, value)

    def _add(self, route: Route, value: T) -> None:
        if route.is_prefix or None in route.segments:
            known: list[str] = []
            for segment in route.segments:
                if segment is None:
                    break
                known.append(segment)
            self._shaped.append(("/".join(["", *known, ""]), route, value))
        else:
            path = "/".join(["", *(segment or "" for segment in route.segments)])
            self._exact.setdefault(path, []).append((route.method, value))

    def matching(self, method: str, path: str) -> list[T]:
        """Return the values whose routes match, those of exact paths first, each once."""
        method = "GET" if method == "HEAD" else method
        found = [value for wanted, value in self._exact.get(path, ()) if wanted is None or wanted == method]
        for beginning, route, value in self._shaped:
            if (
                path.startswith(beginning)
                and (route.method is None or route.method == method)
                and _has_shape(path, route)
                and value not in found
            ):
                found.append(value)
        return found


def _has_shape(path: str, route: Route) -> bool:
    if None not in route.segments:
        return True  # a prefix, which the path begins with
    parts = path.split("/", len(route.segments) + 1)[1:]
    if (len(parts) > len(route.segments)) is not route.is_prefix:
        return False
    return len(parts) >= len(route.segments) and all(
        bool(found) if wanted is None else wanted == found for wanted, found in zip(route.segments, parts, strict=False)
    )


def path_of(scope: Mapping[str, Any]) -> str:
    """Return the path within the application: a server's or a mount's root path is no part of it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path
