"""The coroutine function that serves requests inside the layer around an application."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final, TypeAlias

from opentelemetry.instrumentation.utils import suppress_instrumentation

from mita_otel.traces import request
from mita_otel.web.asgi import Receive, Scope, Send
from mita_otel.web.exchange import SCOPE_KEY
from mita_otel.web.server import ServerLayer

Serve: TypeAlias = Callable[[Any, Scope, Receive, Send], Coroutine[Any, Any, None]]
"""Serves a request of an application; a class's `__call__`, for one."""

_REQUESTS: Final = frozenset({"http", "websocket"})


def inside(layer: ServerLayer, serve: Serve) -> Serve:
    """Return what serves HTTP requests and WebSockets inside a layer.

    Everything else, and what is being served inside one already, is passed through.

    It is a plain coroutine function, as servers look at it to tell ASGI 3 from ASGI 2 and from a factory; and the only
    one that a request has around it, as each more is half a microsecond.
    """

    @wraps(serve)
    async def __call__(app: Any, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: N807 - it replaces one
        if scope["type"] not in _REQUESTS or SCOPE_KEY in scope:
            if scope["type"] == "lifespan":
                layer.watch_loop()
            await serve(app, scope, receive, send)
            return
        administration = layer.administration
        if administration is not None and administration.concerns(scope):
            request.begin()
            await administration(app, scope, send)
            return
        try:
            exchange = layer.open(app, scope, receive, send)
        except Exception:  # noqa: BLE001 - the room's door
            layer.report()
            await serve(app, scope, receive, send)
            return
        failure: BaseException | None = None
        try:
            if exchange.is_excluded:
                # A health check's query must not become a root trace of its own.
                with suppress_instrumentation():
                    await serve(app, exchange.scope, exchange.receive, exchange.send)
            else:
                await serve(app, exchange.scope, exchange.receive, exchange.send)
        except BaseException as error:
            failure = error
            raise
        finally:
            layer.close(exchange, failure)

    return __call__
