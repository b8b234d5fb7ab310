"""uvicorn: our SIGTERM handler is the one it puts back after its graceful shutdown; its heap is frozen as it starts."""

import gc
from collections.abc import Awaitable, Callable
from typing import Any

import wrapt
from uvicorn.config import Config
from uvicorn.server import Server

from mita_otel import heap
from mita_otel.import_path import look_here_once
from mita_otel.installed import version
from mita_otel.libraries.model import Instrumented


def instrument(guard_signals: Callable[[], None], *, freezes: bool) -> Instrumented:
    """Call `guard_signals` before each server starts to serve, and freeze the heap when it has started.

    gunicorn's uvicorn worker resets every handler after it forks, so the one installed at start-up is gone by then.

    Args:
        guard_signals: installs our handler.
        freezes: whether the heap is frozen.
    """

    async def serve(
        wrapped: Callable[..., Awaitable[None]], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        guard_signals()
        look_here_once()
        await wrapped(*args, **kwargs)

    is_frozen = False

    def load(wrapped: Callable[..., None], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        nonlocal is_frozen
        with heap.unsearched():
            wrapped(*args, **kwargs)
        is_frozen = heap.freeze_loaded()

    async def startup(
        wrapped: Callable[..., Awaitable[None]], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        await wrapped(*args, **kwargs)
        # What the application may have frozen itself since then is all but the same.
        if is_frozen and gc.isenabled():
            gc.freeze()

    originals = [(Server, "serve", Server.serve), (Server, "startup", Server.startup), (Config, "load", Config.load)]
    wrapt.wrap_function_wrapper("uvicorn.server", "Server.serve", serve)
    if freezes:
        wrapt.wrap_function_wrapper("uvicorn.config", "Config.load", load)
        wrapt.wrap_function_wrapper("uvicorn.server", "Server.startup", startup)

    def undo() -> None:
        for owner, name, original in originals:
            setattr(owner, name, original)

    return Instrumented("uvicorn", version("uvicorn"), "ours", undo)
