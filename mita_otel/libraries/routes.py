"""The route template of a request, found before it is routed: through routers that are included and mounts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.instrumentation.fastapi import _flatten_routes
from starlette.routing import Host, Match, Mount

_LAYERS: Final = 32
"""Middleware around a mounted application that is looked through; more is taken for an application without routes."""


def template(scope: Mapping[str, Any]) -> str | None:
    """Return the whole template, such as `/mounted/things/{thing}`; None if no route is for the path.

    A mount whose application has no route for the rest of the path ends in `/{path}`, as in FastAPI's own telemetry.

    Args:
        scope: of the outermost application, which is its `app`.
    """
    return _find(scope["app"].routes, scope)


def _find(routes: Sequence[Any], scope: Mapping[str, Any]) -> str | None:
    wrong_method: str | None = None
    for route in _flat(routes):
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            return _within(route, {**scope, **child_scope})
        if match is Match.PARTIAL and wrong_method is None:
            wrong_method = route.path
    return wrong_method


def _flat(routes: Sequence[Any]) -> Iterable[Any]:
    flat: Iterable[Any] = _flatten_routes(routes)
    return flat


def _within(route: Any, scope: Mapping[str, Any]) -> str | None:
    original = getattr(route, "original_route", route)
    if not isinstance(original, Mount | Host):
        path: str | None = route.path
        return path
    prefix = route.path if isinstance(original, Mount) else ""
    app = _with_routes(original.app)
    root_path = getattr(app, "root_path", "")  # FastAPI's own, which goes before what the mount says
    rest = None if app is None else _find(app.routes, {**scope, "root_path": root_path} if root_path else scope)
    return f"{prefix}{rest or '/{path}'}"


def _with_routes(app: Any) -> Any:
    """Return the application within middleware that has routes, or None."""
    for _ in range(_LAYERS):
        if hasattr(app, "routes"):
            return app
        app = getattr(app, "app", None)
    return None
