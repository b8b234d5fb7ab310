"""Serves any ASGI application inside the layer that surrounds FastAPI's."""

from typing import Any

from mita_otel.web.server import ServerLayer
from mita_otel.web.serving import Serve, inside


async def _call(application: Any, scope: Any, receive: Any, send: Any) -> None:
    await application(scope, receive, send)


def within(layer: ServerLayer) -> Serve:
    """Return what serves an application, a scope, `receive` and `send` inside a layer."""
    return inside(layer, _call)
