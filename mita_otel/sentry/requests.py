"""Errors of Starlette's and FastAPI's requests, reported by one layer that costs a tenth of Sentry's own.

Sentry's integration makes a transaction of each request even where none is kept, and traces what OpenTelemetry traces.
"""

import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from functools import wraps
from typing import Any, Final

import sentry_sdk
from sentry_sdk.utils import event_from_exception

Scope = MutableMapping[str, Any]
Handler = Callable[..., Any]

_KEY: Final = "mita.sentry"
"""Marks a scope whose errors are seen already: a mounted application is part of its parent's request."""

_FIRST_SERVER_ERROR: Final = 500


def watch_applications(applications: Any) -> Callable[[], None]:
    """Report what leaves an application, each request with breadcrumbs and tags of its own; return what undoes that.

    Args:
        applications: the module `starlette.applications`.
    """
    served: Callable[..., Awaitable[None]] = applications.Starlette.__call__

    async def __call__(app: Any, scope: Scope, receive: Any, send: Any) -> None:  # noqa: N807 - it replaces it
        if scope["type"] not in {"http", "websocket"} or _KEY in scope:
            await served(app, scope, receive, send)
            return
        scope[_KEY] = True
        with sentry_sdk.isolation_scope() as isolation:
            isolation.clear_breadcrumbs()
            isolation.add_event_processor(lambda event, _: describe(event, scope))
            try:
                await served(app, scope, receive, send)
            except Exception as error:
                report(error, handled=False)
                raise

    applications.Starlette.__call__ = wraps(served)(__call__)
    return lambda: setattr(applications.Starlette, "__call__", served)


def watch_handlers(exceptions: Any) -> Callable[[], None]:
    """Report the exceptions that handlers turn into answers of 500 and above; return what undoes that.

    Args:
        exceptions: the module `starlette.middleware.exceptions`.
    """
    middleware = exceptions.ExceptionMiddleware
    initialise: Callable[..., None] = middleware.__init__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it replaces it
        initialise(self, *args, **kwargs)
        for name in ("_exception_handlers", "_status_handlers"):
            handlers = getattr(self, name, None)
            if isinstance(handlers, dict):
                setattr(self, name, {kind: _reporting(handler) for kind, handler in handlers.items()})

    middleware.__init__ = wraps(initialise)(__init__)
    return lambda: setattr(middleware, "__init__", initialise)


def _reporting(handler: Handler) -> Handler:
    if inspect.iscoroutinefunction(handler):

        @wraps(handler)
        async def waited_for(request: Any, error: Exception) -> Any:
            _report_server_error(error)
            return await handler(request, error)

        return waited_for

    @wraps(handler)
    def called(request: Any, error: Exception) -> Any:
        _report_server_error(error)
        return handler(request, error)

    return called


def _report_server_error(error: Exception) -> None:
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= _FIRST_SERVER_ERROR:
        report(error, handled=True)


def report(error: BaseException, *, handled: bool) -> None:
    """Report an exception, if it was not yet; never raises."""
    try:
        mechanism = {"type": "starlette", "handled": handled}
        event, hint = event_from_exception(error, client_options=sentry_sdk.get_client().options, mechanism=mechanism)
        sentry_sdk.capture_event(event, hint=hint)
    except Exception:  # noqa: BLE001, S110 - the room's door: the error is on its way to the server's log
        pass


def describe(event: Any, scope: Scope) -> Any:
    """Say which request a report is about: its address and headers, and the endpoint that serves it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
    host = headers.get("host") or ":".join(map(str, scope.get("server") or ("unknown",)))
    event["request"] = {
        "method": scope.get("method", "GET"),
        "url": f"{scope.get('scheme', 'http')}://{host}{scope.get('path', '')}",
        "query_string": scope.get("query_string", b"").decode("latin-1"),
        "headers": headers,
        **(event.get("request") or {}),
    }
    endpoint = scope.get("endpoint")
    if endpoint is not None:
        name = getattr(endpoint, "__qualname__", type(endpoint).__qualname__)
        event["transaction"] = f"{getattr(endpoint, '__module__', '')}.{name}"
        event["transaction_info"] = {"source": "component"}
    return event
