"""uvicorn: makes sure that our SIGTERM handler is the one it puts back after its graceful shutdown."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import wrapt
from uvicorn.server import Server

from mita_otel.libraries.model import Instrumented


def instrument(guard_signals: Callable[[], None]) -> Instrumented:
    """Call `guard_signals` before each server starts to serve.

    gunicorn's uvicorn worker resets every handler after it forks, so the one installed at start-up is gone by then.
    """

    async def serve(
        wrapped: Callable[..., Awaitable[None]], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        guard_signals()
        await wrapped(*args, **kwargs)

    original = Server.serve
    wrapt.wrap_function_wrapper("uvicorn.server", "Server.serve", serve)

    def undo() -> None:
        Server.serve = original  # type: ignore[method-assign] # what was there before

    return Instrumented("uvicorn", version("uvicorn"), "ours", undo)
